// Our errors against printed ones; without any, our errors by model.

function agreement(setup) {
  const known = figuresOf(setup).filter((figure) => figure.error !== null);
  const pairs = known.filter((figure) => figure.paper !== null);
  return pairs.length ? scatter(setup, pairs) : errors(setup, known);
}

const INTERVALS = { true: "its line is the range of its seeds", false: "its line is the 95 % interval over test examples" };
const intervalWords = (figures) => INTERVALS[figures.some((figure) => bestBySeed(runsOf(figure)).length > 1)];

function scatter(setup, known) {
  const { label } = data.setups[setup];
  const values = known.flatMap((figure) => [figure.paper, figure.error]);
  const axis = (title) => errorAxis(title, values);
  const { min, max } = axis("");
  const points = byLook(known).map(({ figure, name }) =>
    modelLine(
      { figure, name },
      known.filter(({ look }) => look === figure.look).map((same) => ({ x: inLog(same.paper), y: inLog(same.error), figure: same, interval: intervalOf(same) })),
      { showLine: false, markRadius: 5, unlisted: true, intervals: "y", inLog: true, look: figure.look, rule: figure.rule },
    ),
  );
  const equal = line("equal", [{ x: min, y: min }, { x: max, y: max }], style("--quiet"), { borderWidth: 1, borderDash: [3, 3], pointHitRadius: 0 });
  const shades = points.some(({ mark }) => mark.shade < 1) ? " Paler marks: more wrong signs, or settings 2 and 3 of BM." : "";
  return {
    label: `Scatter chart, ${label}: our error of ${points.length} models against printed ones.`,
    caption: `${label} against printed errors: ${points.length} models, both axes logarithmic. A point is a model, ${intervalWords(known)}; on the diagonal both errors are equal.${shades}`,
    series: [...points, equal, ...key(points)],
    scales: { x: axis("printed error, %"), y: axis("our error, %") },
    interaction: { intersect: true },
    tooltip: { title: () => "", label: (item) => (item.raw.figure ? `${item.raw.figure.model}: ours ${percent(item.raw.figure.error)}, paper ${percent(item.raw.figure.paper)}` : "") },
    table: () => numbersTable("Error, %", ["model", "ours", "paper"], known.map((figure) => [figure.model, figure.error, figure.paper])),
  };
}

// Entries of a legend that explain marks by their parts: rules, remedies, layers.
function key(series) {
  const plain = { color: style("--quiet"), marker: "o", fill: "full", shade: 1 };
  const entry = (label, mark, test) => {
    const covers = series.flatMap((one, index) => (test(one) ? [index] : []));
    return covers.length ? [line(label, [], mark.color, { mark, showLine: false, covers })] : [];
  };
  const rules = distinct(series.map(({ rule }) => rule)).flatMap((rule) => entry(rule === "BP" ? "backpropagation" : rule, { ...plain, color: series.find((one) => one.rule === rule).mark.color }, (one) => one.rule === rule));
  const parts = (part) => Object.entries(data.legend[part]).filter(([value]) => value !== plain.fill).flatMap(([value, words]) => entry(words.split(":")[0], { ...plain, [part]: value }, ({ mark }) => mark[part] === value));
  return [...rules, ...parts("marker"), ...parts("fill")];
}

function errors(setup, known) {
  const { label } = data.setups[setup];
  const models = byLook(known).sort((a, b) => a.figure.error - b.figure.error);
  const intervals = models.map(({ figure }) => intervalOf(figure));
  return {
    label: `Dot chart, ${label}: our error of ${models.length} models.`,
    caption: models.length ? `${label}: a point is a model, ${intervalWords(known)}. The axis is logarithmic.` : `${label}: no model is complete.`,
    series: models.map((model, y) => modelLine(model, [{ x: inLog(model.figure.error), y, interval: intervals[y] }], { showLine: false, intervals: "x", inLog: true })),
    scales: { x: errorAxis("our error, %", intervals.flatMap((ends) => ends ?? [])), y: modelAxis(models.map(({ name }) => name)) },
    height: heightFor(models),
    legend: false,
    tooltip: { title: () => "", label: (item) => `${item.dataset.label}: ${percent(models[item.parsed.y].figure.error)} %` },
    table: () => numbersTable("Error, %", ["model", "ours", "from", "to"], models.map(({ figure, name }, index) => [name, figure.error, ...(intervals[index] ?? [null, null])])),
  };
}
