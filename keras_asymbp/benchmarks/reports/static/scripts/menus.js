// The pictures with the menus above them.

function options(select, choices) {
  const chosen = select.value;
  select.replaceChildren(...choices.map(([value, text]) => element("option", { value }, text)));
  if (choices.some(([value]) => String(value) === chosen)) select.value = chosen;
  select.closest("label").hidden = choices.length < 2;
}

const select = (id) => document.getElementById(id);
const numberIn = (id) => Number(select(id).value);
const setups = data.setups.map((setup, number) => [number, setup.label]);
const hasSigns = ([number]) => concordanceRows(number).length > 0;
const hasAlignment = ([number]) => figuresOf(number).some(isAligned);
const experimentsOf = (setup) => data.experiments.map((experiment, number) => [number, experiment]).filter(([, experiment]) => rowOf(experiment, setup));
const TOGETHER = "experiment ";

// Each fills its menus in order, and then draws.
const pictures = {
  scatter() {
    options(select("scatter-setup"), setups);
    const setup = numberIn("scatter-setup");
    finding(setup);
    draw("scatter", agreement(setup));
  },
  signs() {
    options(select("signs-setup"), setups.filter(hasSigns));
    draw("signs", signs(numberIn("signs-setup")));
  },
  rates() {
    options(select("rates-setup"), setups);
    const setup = numberIn("rates-setup");
    options(select("rates-experiment"), experimentsOf(setup).map(([number, { name, title }]) => [number, `${name}: ${title}`]));
    draw("rates", rates(setup, data.experiments[numberIn("rates-experiment")]));
  },
  curves() {
    options(select("curves-setup"), setups);
    const setup = numberIn("curves-setup");
    options(select("curves-model"), [
      ...experimentsOf(setup).map(([number, { name }]) => [TOGETHER + number, `${name}: the best run of each model`]),
      ...figuresOf(setup).map((figure) => [data.figures.indexOf(figure), figure.model]),
    ]);
    options(select("curves-seed"), data.setups[setup].seeds.map((seed) => [seed, String(seed)]));
    const [chosen, seed] = [select("curves-model").value, numberIn("curves-seed")];
    const together = chosen.startsWith(TOGETHER);
    draw("curves", together ? curvesTogether(setup, data.experiments[chosen.slice(TOGETHER.length)], seed) : curvesOfModel(data.figures[chosen], seed));
  },
  alignment() {
    options(select("alignment-setup"), setups.filter(hasAlignment));
    const setup = numberIn("alignment-setup");
    const runs = figuresOf(setup).flatMap(runsOf).filter((run) => run.alignment);
    options(select("alignment-seed"), distinct(runs.map((run) => run.seed)).map((seed) => [seed, String(seed)]));
    const seed = numberIn("alignment-seed");
    options(select("alignment-quantity"), quantitiesOf(setup, seed).map(([quantity, [words]]) => [quantity, words]));
    draw("alignment", alignment(setup, seed, select("alignment-quantity").value));
  },
  times() {
    options(select("times-setup"), setups);
    draw("times", times(numberIn("times-setup")));
  },
};

const CONDITIONS = { signs: hasSigns, alignment: hasAlignment };
const shownPictures = () => Object.keys(pictures).filter((id) => !(id in CONDITIONS) || setups.some(CONDITIONS[id]));
const drawAll = () => shownPictures().forEach((id) => pictures[id]());

function showCurves(figure) {
  select("curves-setup").value = figure.setup;
  pictures.curves(); // fills the menu of models for that data set
  select("curves-model").value = data.figures.indexOf(figure);
  pictures.curves();
  hide();
  find("#curves-section").focus();
  find("#curves-section").scrollIntoView();
}

function watchPictures() {
  Chart.defaults.font = { family: getComputedStyle(document.body).fontFamily, size: 12.5 };
  const shown = shownPictures();
  for (const id of shown) {
    for (const one of findAll(`#${id} select`)) one.addEventListener("change", pictures[id]);
  }
  for (const id of Object.keys(CONDITIONS)) {
    select(`${id}-part`).hidden = select(`to-${id}`).hidden = !shown.includes(id);
  }
  options(select("scatter-setup"), setups);
  select("scatter-setup").value = data.main;
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
}
