// Error against the base learning rate.

function rates(setup, experiment) {
  const figures = (rowOf(experiment, setup) ?? []).filter(Boolean);
  const all = distinct(figures.flatMap((figure) => figure.rates)).sort((a, b) => a - b);
  const valuesOf = (figure) => all.map((rate) => ({ x: rate, y: atRate(figure, rate) }));
  const lines = byLook(figures).map((model) => [model, valuesOf(model.figure)]);
  const { label } = data.setups[setup];
  return {
    label: `Line chart, experiment ${experiment.name} on ${label}: lowest error of each model by learning rate.`,
    caption: `Experiment ${experiment.name} on ${label}. Both axes are logarithmic.`,
    series: lines.map(([model, points]) => modelLine(model, points.map(({ x, y }) => ({ x, y: inLog(y), error: y })))),
    scales: {
      x: { type: "logarithmic", min: all[0] / 1.5, max: all.at(-1) * 1.5, title: { display: true, text: "base learning rate" }, afterBuildTicks: (axis) => { axis.ticks = all.map((value) => ({ value })); }, ticks: { callback: rateText } },
      y: errorAxis("lowest error, %", lines.flatMap(([, points]) => points.map(({ y }) => y))),
    },
    tooltip: { title: (items) => `rate ${rateText(items[0]?.parsed.x)}`, label: (item) => `${item.dataset.label}: ${percent(item.raw.error)} %` },
    table: () => numbersTable("Lowest error, %, by learning rate", ["model", ...all.map(rateText)], figures.map((figure) => [figure.model, ...valuesOf(figure).map(({ y }) => y)])),
  };
}

// Mean over the seeds with this rate of the error of the better batch schedule.
function atRate(figure, rate) {
  const runs = runsOf(figure).filter((run) => run.rate === rate);
  return runs.length ? mean(bestBySeed(runs).map((run) => run.error)) : null;
}
