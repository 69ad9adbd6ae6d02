// Printing: on white, with all details open.

function watchPrinting() {
  let opened = [];
  window.addEventListener("beforeprint", () => {
    document.documentElement.classList.add("printing");
    opened = findAll("details.models:not([open])");
    for (const part of opened) part.open = true;
    drawAll();
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    for (const part of opened) part.open = false;
    drawAll();
  });
}
