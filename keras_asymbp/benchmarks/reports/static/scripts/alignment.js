// Angles by layer, where they were recorded.

const QUANTITIES = {
  gradient_angle: "angle between the gradient and backpropagation’s",
  angle: "angle between W and V",
};
const MOST_NAMES = 10; // of layers on an axis

const isAligned = (figure) => runsOf(figure).some((run) => run.alignment);

// The best run of a seed among those with measured alignment.
const alignedRun = (figure, seed) => runsOf(figure).filter((run) => run.seed === seed && run.alignment).sort((a, b) => a.error - b.error)[0];

function alignment(setup, seed, quantity) {
  const lines = byLook(figuresOf(setup))
    .map((model) => [model, alignedRun(model.figure, seed)?.alignment])
    .filter(([, layers]) => layers);
  const depth = Math.max(0, ...lines.map(([, layers]) => layers.length));
  const names = range(depth).map((at) => {
    const found = distinct(lines.flatMap(([, layers]) => layers[at]?.layer ?? []));
    return found.length === 1 ? `${at + 1} ${found[0]}` : String(at + 1);
  });
  const subject = `${data.setups[setup].label}, seed ${seed}`;
  const words = QUANTITIES[quantity];
  return {
    label: `Line chart, ${subject}: ${words} of each layer after training, by model.`,
    caption: `${subject}: ${words}, after the last epoch of each model’s best run.`,
    series: lines.map(([model, layers]) => modelLine(model, layers.map((layer, at) => ({ x: at + 1, y: layer[quantity] })))),
    scales: {
      x: { type: "linear", min: 1, max: Math.max(depth, 2), title: { display: true, text: "layer, from the bottom" }, ticks: { precision: 0, stepSize: depth > MOST_NAMES ? undefined : 1, callback: (value) => (depth > MOST_NAMES ? value : names[value - 1]) } },
      y: { type: "linear", min: 0, title: { display: true, text: "degrees" } },
    },
    tooltip: { title: (items) => `layer ${names[(items[0]?.parsed.x ?? 1) - 1]}`, label: (item) => `${item.dataset.label}: ${item.parsed.y.toFixed(1)}°` },
    table: () => numbersTable(`${words}, degrees`, ["layer", ...lines.map(([{ name }]) => name)], names.map((name, at) => [name, ...lines.map(([, layers]) => layers[at]?.[quantity])])),
  };
}
