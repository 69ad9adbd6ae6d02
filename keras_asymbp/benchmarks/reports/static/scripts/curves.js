// Learning curves: of all models of an experiment, or of one model at each rate.

const curvePoints = (errors) => errors.map((error, index) => ({ x: index + 1, y: inLog(error), error }));

function curvesPicture(subject, caption, runs, series, table) {
  const epochs = Math.max(0, ...runs.map((run) => run.test.length));
  return {
    label: `Line chart, ${subject}: error by epoch.`,
    caption: `${subject}. ${caption}`,
    series,
    scales: {
      x: { type: "linear", min: epochs > 1 ? 1 : 0, max: Math.max(epochs, 2), title: { display: true, text: "epoch" }, ticks: { precision: 0 } },
      y: errorAxis("error, %", series.flatMap(({ data }) => data.map(({ error }) => error))),
    },
    tooltip: { title: (items) => `epoch ${items[0]?.parsed.x}`, label: (item) => `${item.dataset.label}: ${percent(item.raw.error)} %` },
    table: () => numbersTable("Error, %", ["epoch", ...table.map(([name]) => name)], range(epochs).map((at) => [at + 1, ...table.map(([, errors]) => errors[at] ?? "none")])),
  };
}

// Markers would hide long curves.
const markRadiusOf = (run) => (run.test.length > 20 ? 0 : 4.5);

const bestRun = (figure, seed) => runsOf(figure).find((run) => run.seed === seed);

function curvesTogether(setup, experiment, seed) {
  const models = byLook((rowOf(experiment, setup) ?? []).filter(Boolean))
    .map((model) => ({ ...model, run: bestRun(model.figure, seed) }))
    .filter(({ run }) => run);
  const series = models.map((model) => modelLine(model, curvePoints(model.run.test), { markRadius: markRadiusOf(model.run) }));
  const subject = `Experiment ${experiment.name} on ${data.setups[setup].label}, seed ${seed}`;
  return curvesPicture(subject, "Test error of the best run of each model. A click on a name hides its curve.", models.map(({ run }) => run), series, models.map(({ name, run }) => [name, run.test]));
}

function curvesOfModel(figure, seed) {
  const runs = runsOf(figure).filter((run) => run.seed === seed);
  runs.sort((a, b) => b.rate - a.rate || laterBatches(a).localeCompare(laterBatches(b)));
  const look = lookOf(figure);
  const names = runs.map((run) => rateText(run.rate) + (laterBatches(run) && `, batches of ${laterBatches(run)}`) + (run.diverged ? ", diverged" : ""));
  const series = runs.flatMap((run, index) => {
    // Rates are tones of the rule's colour, and marks with less and less of it.
    const share = index / Math.max(1, runs.length - 1);
    const color = mixed(look.color, style("--ground"), 0.6 * share);
    return [
      line(names[index], curvePoints(run.test), color, { mark: { ...look, color, shade: 1 - share }, markRadius: markRadiusOf(run), borderDash: look.dash }),
      line(`${names[index]}, training`, curvePoints(run.train), color, { borderWidth: 1, borderDash: look.dash, unlisted: true }),
    ];
  });
  const unfinished = names.filter((_, index) => !runs[index].test.length);
  return curvesPicture(
    `${figure.model} on ${setupOf(figure).label}, seed ${seed}`,
    `A line is a base learning rate. Thick: test; thin: training.${unfinished.length ? ` No epoch was finished at ${unfinished.join("; ")}.` : ""}`,
    runs,
    series,
    names.flatMap((name, index) => [[`${name}: test`, runs[index].test], [`${name}: training`, runs[index].train]]),
  );
}
