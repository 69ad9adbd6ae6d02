// The runs behind a figure: by mouse, keyboard and touch.

const tip = find("#tip");
let host = null; // the element of the figure that the tip belongs to
let timer = null;

function ratesTable(figure) {
  const setup = setupOf(figure);
  const runs = runsOf(figure);
  const columns = setup.seeds.flatMap((seed) => {
    const ofSeed = runs.filter((run) => run.seed === seed);
    const procedures = ofSeed.length ? distinct(ofSeed.map(laterBatches)).sort() : [""];
    const [best] = ofSeed;
    return procedures.map((later) => ({
      name: `seed ${seed}${later && `, batches of ${later}`}`,
      best,
      runs: ofSeed.filter((run) => laterBatches(run) === later),
    }));
  });
  const rates = [...figure.rates].sort((a, b) => b - a);
  const cell = (rate, column) => {
    const run = column.runs.find((one) => one.rate === rate);
    const text = run ? percent(run.error) + (run.diverged ? " div." : "") : "pending";
    return element("td", { class: run && run === column.best ? "best" : null }, text);
  };
  const head = ["rate", ...columns.map(({ name }) => name)].map((name) => element("th", { scope: "col" }, name));
  const rows = rates.map((rate) =>
    element("tr", {}, element("th", { scope: "row" }, rateText(rate)), ...columns.map((column) => cell(rate, column))),
  );
  return element(
    "table",
    {},
    element("caption", {}, "lowest error, %; ★ of a seed"),
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...rows),
  );
}

function fillTip(figure, shownText) {
  const setup = setupOf(figure);
  const runs = runsOf(figure);
  const spread = figure.spread === null ? "" : ` ± ${percent(figure.spread)}`;
  const parts = [
    element("strong", {}, `${figure.model} on ${setup.label}`),
    element("p", {}, `ours ${figure.error === null ? shownText : percent(figure.error)}${spread}, the paper’s ${percent(figure.paper)}; ${runs.length} of ${figure.expected} runs`),
    ratesTable(figure),
  ];
  if (runs.some((run) => run.diverged)) parts.push(element("p", {}, "div.: diverged; its error is that of its best epoch, or of guessing."));
  const copy = element("button", { type: "button" }, "Copy the command");
  copy.addEventListener("click", () => copyText(commandOf(figure), copy));
  const actions = element("div", { class: "actions" }, copy);
  if (runs.length) {
    const curves = element("button", { type: "button" }, "Learning curves");
    curves.addEventListener("click", () => showCurves(figure));
    actions.prepend(curves);
  }
  tip.replaceChildren(...parts, actions);
}

function place() {
  if (!host) return;
  const at = find("button[data-figure]", host).getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = tip;
  const left = Math.max(8, Math.min(at.left + at.width / 2 - width / 2, document.documentElement.clientWidth - width - 8));
  const below = at.bottom + 4;
  const fits = below + height <= window.innerHeight - 8 || at.top < height + 8;
  tip.style.left = `${left}px`;
  tip.style.top = `${fits ? Math.min(below, Math.max(8, window.innerHeight - height - 8)) : at.top - height - 4}px`;
}

function show(figureHost) {
  clearTimeout(timer);
  if (figureHost === host) return;
  hide();
  host = figureHost;
  const button = find("button[data-figure]", host);
  fillTip(data.figures[Number(button.dataset.figure)], button.textContent);
  host.append(tip); // next to the button, so that Tab enters it
  tip.showPopover();
  button.setAttribute("aria-expanded", "true");
  place();
}

function hide() {
  clearTimeout(timer);
  if (!host) return;
  find("button[data-figure]", host).setAttribute("aria-expanded", "false");
  host = null;
  tip.hidePopover();
}

function later(action, milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(action, milliseconds);
}

function watchFigures() {
  for (const button of findAll("button[data-figure]")) {
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-controls", "tip");
  }
  const figureOf = (target) => (target instanceof Element ? target.closest(".figure") : null);
  document.addEventListener("mouseover", (event) => {
    const over = figureOf(event.target);
    if (over && over !== host) later(() => show(over), 180);
    else if (over) clearTimeout(timer);
    else if (host && !host.contains(document.activeElement)) later(hide, 250);
    else if (!host) clearTimeout(timer);
  });
  document.addEventListener("focusin", (event) => {
    const at = figureOf(event.target);
    if (at) show(at);
    else hide();
  });
  document.addEventListener("click", (event) => {
    const at = figureOf(event.target);
    if (at && !tip.contains(event.target)) show(at);
    else if (!at) hide();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !host) return;
    const button = find("button[data-figure]", host);
    const inside = tip.contains(document.activeElement);
    hide();
    if (inside) {
      button.focus();
      hide(); // the focus has opened it again
    }
  });
  document.addEventListener("scroll", place, { capture: true, passive: true });
  window.addEventListener("resize", place);
}
