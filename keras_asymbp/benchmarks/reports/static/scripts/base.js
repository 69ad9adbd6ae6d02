// What the other files share: the data, elements, formats.

const data = JSON.parse(document.getElementById("data").textContent);
const UNKNOWN = "?";

const find = (selector, from = document) => from.querySelector(selector);
const findAll = (selector, from = document) => [...from.querySelectorAll(selector)];
const percent = (value) => (value === null || value === undefined ? UNKNOWN : value.toFixed(2));
const rateText = (rate) => (rate < 1e-3 ? rate.toExponential() : String(rate));
const sum = (values) => values.reduce((total, value) => total + value, 0);
const mean = (values) => sum(values) / values.length;
const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
const distinct = (values) => [...new Set(values)];
const range = (count) => Array.from({ length: count }, (_, index) => index);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.map((child) => child ?? ""));
  return made;
}

function groupBy(values, key) {
  const groups = new Map();
  for (const value of values) {
    const name = key(value);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(value);
  }
  return groups;
}

const ofSetups = groupBy(data.figures, (figure) => figure.setup);
const figuresOf = (setup) => ofSetups.get(setup) ?? [];
// A seed's runs, the best first: it is chosen on held-out examples, if there are any.
const runsOf = (figure) => figure.trials.map((number) => data.trials[number]);
const setupOf = (figure) => data.setups[figure.setup];
const commandOf = (figure) => `${data.program} ${figure.flags} ${setupOf(figure).flags}`;

// The figures of an experiment on a setup, null for a model without one; undefined
// without the experiment.
const rowsOf = new Map(data.experiments.map((experiment) => [experiment, new Map(experiment.rows)]));
const rowOf = (experiment, setup) => rowsOf.get(experiment).get(setup)?.map((number) => (number === null ? null : data.figures[number]));

// Later batch sizes of a run; "" if all batches have one size.
function laterBatches(run) {
  return run.batches.slice(1).map(([epoch, size]) => `${size} from epoch ${epoch + 1}`).join(", ");
}

// The best run of each seed that has one.
const bestBySeed = (runs) => [...groupBy(runs, (run) => run.seed).values()].map(([best]) => best);

// A figure's interval: the range of its seeds; of one seed, 95 % over test examples.
function intervalOf(figure) {
  if (figure.error === null) return null;
  const errors = bestBySeed(runsOf(figure)).map((run) => run.error);
  if (errors.length > 1) return [Math.min(...errors), Math.max(...errors)];
  const count = setupOf(figure).examples;
  return count > 0 ? wilson(figure.error / 100, count).map((share) => 100 * share) : null;
}

// Wilson's interval of a share of that many examples.
function wilson(share, count) {
  const z = 1.959964;
  const center = (share + (z * z) / (2 * count)) / (1 + (z * z) / count);
  const reach = (z / (1 + (z * z) / count)) * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count));
  return [Math.max(0, center - reach), Math.min(1, center + reach)];
}
