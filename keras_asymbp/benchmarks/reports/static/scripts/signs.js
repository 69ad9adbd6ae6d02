// Error against the share of concordant signs.

// The experiments that vary the concordance of signs, with a setup's figures.
const concordanceRows = (setup) =>
  data.experiments.filter((experiment) => experiment.concordance).flatMap((experiment) => {
    const row = rowOf(experiment, setup);
    return row ? [[experiment, row]] : [];
  });

function signs(setup) {
  const series = [];
  const columns = [];
  for (const [experiment, figures] of concordanceRows(setup)) {
    const name = experiment.signs ?? experiment.title;
    const points = figures
      .map((figure, column) => ({ x: experiment.concordance[column], figure }))
      .filter(({ x, figure }) => x !== null && figure)
      .sort((a, b) => a.x - b.x);
    const ours = points.map(({ x, figure }) => ({ x, y: figure.error, interval: intervalOf(figure) }));
    const papers = points.map(({ x, figure }) => ({ x, y: figure.paper }));
    const mark = { ...lookOf(points.at(-1).figure), shade: 1 };
    const hollow = { ...mark, shade: 0 };
    series.push(line(`ours, ${name}`, ours, mark.color, { mark, intervals: "y" }));
    columns.push([`ours, ${name}`, ours]);
    if (papers.every(({ y }) => y === null)) continue;
    series.push(line(`paper, ${name}`, papers, mark.color, { mark: hollow, borderWidth: 1 }));
    columns.push([`paper, ${name}`, papers]);
  }
  const at = distinct(columns.flatMap(([, points]) => points.map(({ x }) => x))).sort((a, b) => a - b);
  const { label, paper } = data.setups[setup];
  return {
    label: `Line chart, ${label}: error against the share of concordant signs.`,
    caption: `${label}. Filled and thick: ours, ${intervalWords(figuresOf(setup)).replace("its line", "each upright line")}${series.length > concordanceRows(setup).length ? `; hollow and thin: the paper’s ${paper ?? "(none)"}` : ""}.`,
    series,
    scales: {
      x: { type: "linear", min: -2, max: 102, title: { display: true, text: "concordant signs, 100 − p, %" }, afterBuildTicks: (axis) => { axis.ticks = at.map((value) => ({ value })); } },
      y: { type: "linear", beginAtZero: true, title: { display: true, text: "error, %" } },
    },
    tooltip: { title: () => "", label: (item) => `${item.dataset.label}: ${percent(item.parsed.y)} % at ${item.parsed.x} %` },
    table: () =>
      numbersTable("Error, %", ["concordant signs, %", ...columns.map(([name]) => name)], at.map((x) => [x, ...columns.map(([, points]) => points.find((point) => point.x === x)?.y)])),
  };
}
