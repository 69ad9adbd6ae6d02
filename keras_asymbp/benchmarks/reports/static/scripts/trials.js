// The list of trials with its filter: long, so written when it is first opened.

const TRIAL_HEADS = [["model", ""], ["data set", "text"], ["seed", ""], ["learning rate", ""], ["batches", "text"], ["error, %", ""], ["best epoch", ""], ["seconds", ""], ["file", "text"]];

function trialRow(run) {
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, run.model),
    element("td", { class: "text" }, run.dataset),
    element("td", {}, String(run.seed)),
    element("td", { "data-value": run.rate }, rateText(run.rate)),
    element("td", { class: "text" }, [String(run.batches[0][1]), laterBatches(run)].filter(Boolean).join(", ")),
    element("td", { "data-value": run.error }, percent(run.error) + (run.diverged ? " (diverged)" : "")),
    element("td", { "data-value": run.epoch ?? "" }, run.epoch === null ? "none" : String(run.epoch)),
    element("td", {}, run.seconds.toFixed(1)),
    element("td", { class: "text" }, element("a", { href: run.href }, run.file)),
  );
}

function writeTrials() {
  const list = find("#trial-list .scroll");
  if (list.childElementCount) return;
  const rows = data.trials.map(trialRow);
  const table = element(
    "table",
    { class: "sortable" },
    element("caption", { class: "unseen" }, "Trials"),
    element("thead", {}, element("tr", {}, ...TRIAL_HEADS.map(([text, kind]) => element("th", { scope: "col", class: kind || null }, text)))),
    element("tbody", {}, ...rows),
  );
  makeSortable(table);
  list.append(table);
  watchTrialFilter(rows);
}

// A row is shown if each of the words is in it; "seed 1" is a word in one of them.
function watchTrialFilter(rows) {
  const texts = rows.map((row) => {
    const cells = [...row.cells].map((cell) => cell.textContent);
    return [...cells, `seed=${cells[2]}`, `rate=${cells[3]}`].join("\n").toLowerCase();
  });
  const [field, count] = [find("#trial-filter"), find("#trial-count")];
  const apply = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach((row, index) => {
      row.hidden = !words.every((word) => texts[index].split("\n").some((text) => text.includes(word)));
    });
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = words.length ? `${shown} of ${rows.length}` : "";
  };
  field.addEventListener("input", apply);
  apply();
}
