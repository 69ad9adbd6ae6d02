// Buttons that save a picture or a table as a file.

function download(content, type, name) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const fileName = (words, suffix) => `${words.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 80) || "table"}.${suffix}`;

function buttons(words, actions) {
  const made = Object.entries(actions).map(([format, action]) => {
    const button = element("button", { type: "button", "aria-label": `Save as ${format}: ${words}` }, format);
    button.addEventListener("click", action);
    return button;
  });
  return element("div", { class: "save" }, element("span", {}, "Save as"), ...made);
}

function savingTable(region) {
  const table = () => find("table", region);
  const save = (write, type, suffix) => () => download(write(table()), type, fileName(captionOf(table()), suffix));
  region.after(buttons(region.getAttribute("aria-label"), { CSV: save(asCsv, "text/csv", "csv"), LaTeX: save(asLatex, "application/x-tex", "tex") }));
}

// Saved pictures are on white, whatever the page is on.
function onWhite(id, action) {
  const { classList } = document.documentElement;
  classList.add("printing");
  pictures[id]();
  action(charts.get(id));
  classList.remove("printing");
  pictures[id]();
}

function savePng(chart, name) {
  const { canvas } = chart;
  const copy = element("canvas", { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d");
  context.fillStyle = style("--ground");
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  copy.toBlob((blob) => download(blob, "image/png", name), "image/png");
}

function savingPicture(figure) {
  const { id } = figure;
  const words = () => find("figcaption", figure).textContent;
  const name = (suffix) => fileName(`${id} ${words().split(". ")[0].split(":")[0]}`, suffix);
  find("figcaption", figure).after(
    buttons(`picture ${id}`, {
      PNG: () => onWhite(id, (chart) => savePng(chart, name("png"))),
      SVG: () => onWhite(id, (chart) => download(asSvg(chart, words()), "image/svg+xml", name("svg"))),
    }),
  );
}

function watchSaving() {
  findAll("main .scroll").forEach(savingTable);
  findAll(".picture").forEach(savingPicture);
}
