// Copying commands.

async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Not allowed for a page opened from a folder: use the old method.
    const area = element("textarea", { readonly: "", class: "unseen" });
    area.value = text;
    button.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.dataset.text ??= button.textContent;
  button.textContent = "Copied";
  find("#status").textContent = "Copied the command";
  setTimeout(() => {
    button.textContent = button.dataset.text;
    find("#status").textContent = "";
  }, 1600);
}

function watchCopies() {
  for (const button of findAll(".copy")) {
    button.addEventListener("click", () => copyText(document.getElementById(button.dataset.copy).textContent, button));
  }
}
