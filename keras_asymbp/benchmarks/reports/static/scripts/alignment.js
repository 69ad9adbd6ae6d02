// Quantities of each layer after training, where they were recorded.

const BPS = "backpropagation’s";
const [DEGREES, COSINE] = ["degrees", "cosine"]; // units with an axis of their own
const QUANTITIES = {
  gradient_angle: [`angle between the gradient and ${BPS}`, DEGREES],
  angle: ["angle between W and V", DEGREES],
  error_cosine: [`cosine of the error and ${BPS}`, COSINE],
  error_norm_ratio: [`norm ratio of the error to ${BPS}`, "ratio"],
  error_rms: ["RMS of the error", "RMS"],
  bp_error_rms: [`RMS of ${BPS} error`, "RMS"],
  error_effective_rank: ["effective rank of the error", "effective rank"],
  bp_error_effective_rank: [`effective rank of ${BPS} error`, "effective rank"],
  preactivation_rms: ["RMS of the pre-activation N", "RMS"],
  gradient_norm_ratio: [`norm ratio of the gradient to ${BPS}`, "ratio"],
  gradient_decrease: [`decrease of the loss, as a share of ${BPS}`, "share"],
};
const MOST_NAMES = 10; // of layers on an axis
const MOST_TICKS = 8;
const DECADES = 1.5; // an axis that spans more is logarithmic
const SMALLEST = -300; // exponent

const isAligned = (figure) => runsOf(figure).some((run) => run.alignment);

// The layers of a run with a quantity, bottom first; undefined if it was not recorded.
function layersOf(run, quantity) {
  const at = data.measures.indexOf(quantity) + 1;
  if (at) return run.diagnostics?.map((layer) => ({ layer: layer[0], value: layer[at] }));
  return run.alignment?.map((layer) => ({ layer: layer.layer, value: layer[quantity] }));
}

// Of the best run of a seed among those that recorded the quantity.
function bestLayers(figure, seed, quantity) {
  const best = runsOf(figure).find((run) => run.seed === seed && layersOf(run, quantity));
  return best && layersOf(best, quantity);
}

const quantitiesOf = (setup, seed) => Object.entries(QUANTITIES).filter(([quantity]) => figuresOf(setup).some((figure) => bestLayers(figure, seed, quantity)));

function alignment(setup, seed, quantity) {
  const lines = byLook(figuresOf(setup))
    .map((model) => [model, bestLayers(model.figure, seed, quantity)])
    .filter(([, layers]) => layers);
  const depth = Math.max(0, ...lines.map(([, layers]) => layers.length));
  const names = range(depth).map((at) => {
    const found = distinct(lines.flatMap(([, layers]) => layers[at]?.layer ?? []));
    return found.length === 1 ? `${at + 1} ${found[0]}` : String(at + 1);
  });
  const subject = `${data.setups[setup].label}, seed ${seed}`;
  const [words, unit] = QUANTITIES[quantity];
  const y = quantityAxis(unit, lines.flatMap(([, layers]) => layers.map(({ value }) => value)).filter(Number.isFinite));
  const [text, sign] = unit === DEGREES ? [(value) => value.toFixed(1), "°"] : [significant, ""];
  const inTable = (value) => (unit === DEGREES || !Number.isFinite(value) ? value : significant(value));
  return {
    label: `Line chart, ${subject}: ${words} of each layer after training, by model.`,
    caption: [`${subject}: ${words}, after the last epoch of each model’s best run.`, ...y.notes].join(" "),
    series: lines.map(([model, layers]) => modelLine(model, layers.map(({ value }, at) => ({ x: at + 1, y: y.place(value), value })))),
    scales: {
      x: { type: "linear", min: 1, max: Math.max(depth, 2), title: { display: true, text: "layer, from the bottom" }, ticks: { precision: 0, stepSize: depth > MOST_NAMES ? undefined : 1, callback: (value) => (depth > MOST_NAMES ? value : names[value - 1]) } },
      y: y.axis,
    },
    tooltip: { title: (items) => `layer ${names[(items[0]?.parsed.x ?? 1) - 1]}`, label: (item) => `${item.dataset.label}: ${text(item.raw.value)}${sign}` },
    table: () => numbersTable(unit === DEGREES ? `${words}, degrees` : words, ["layer", ...lines.map(([{ name }]) => name)], names.map((name, at) => [name, ...lines.map(([, layers]) => inTable(layers[at]?.value))])),
  };
}

// A value with three digits.
function significant(value) {
  const size = Math.abs(value);
  return size === 0 || (size >= 0.01 && size < 10_000) ? String(Number(value.toPrecision(3))) : value.toExponential(2).replace("+", "");
}

// The axis of a quantity, the place of a value on it, and sentences on how it is drawn.
function quantityAxis(unit, values) {
  const title = { display: true, text: unit };
  const exponents = values.filter((value) => value > 0).map((value) => Math.max(Math.log10(value), SMALLEST)).sort((a, b) => a - b);
  const [low, high] = [Math.floor(exponents[0]), Math.ceil(exponents.at(-1))];
  const spans = exponents.at(-1) - exponents[0] > DECADES;
  if (unit === DEGREES || unit === COSINE || !spans) {
    const axis = { type: "linear", title, beginAtZero: true };
    if (unit === DEGREES) axis.min = 0;
    if (unit === COSINE) [axis.min, axis.max] = [values.some((value) => value < 0) ? -1 : 0, 1];
    return { axis, place: (value) => value, notes: [] };
  }
  const step = Math.ceil((high - low) / MOST_TICKS);
  const ticks = range(Math.floor((high - low) / step) + 1).map((at) => ({ value: power(low + at * step) }));
  const lowest = power(low);
  return {
    axis: { type: "logarithmic", min: lowest, max: power(high), title, afterBuildTicks: (axis) => { axis.ticks = ticks; }, ticks: { callback: shortPower } },
    place: (value) => (Number.isFinite(value) ? Math.max(value, lowest) : null),
    notes: ["The axis is logarithmic.", ...(exponents.length < values.length ? ["Values of 0 and below are drawn at its lower end."] : [])],
  };
}

const power = (exponent) => Number(`1e${exponent}`); // 10 ** -7 isn’t 1e-7
const shortPower = (value) => (value >= 0.01 && value <= 1000 ? String(value) : value.toExponential().replace("+", ""));
