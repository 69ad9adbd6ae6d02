// The filter of the page by data set.

function filter(chosen) {
  for (const part of findAll("[data-setup]")) part.hidden = chosen !== "" && part.dataset.setup !== chosen;
  for (const section of findAll("main > section:has(.printed)")) {
    section.hidden = !findAll(".printed tbody", section).some((body) => !body.hidden);
  }
  find("#filtered").textContent = chosen === "" ? "" : `${data.setups[chosen].label} only`;
  if (chosen !== "") {
    for (const one of findAll("select[id$=-setup]")) {
      if ([...one.options].some((option) => option.value === chosen)) one.value = chosen;
    }
    drawAll();
  }
}
