// Wall time of a run, by model.

const SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 18_000, 36_000, 86_400, 864_000];

function duration(seconds) {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${Math.round(seconds % 60)} s` : `${seconds.toFixed(1)} s`;
}

function timeAxis(values) {
  const min = SECONDS.findLast((tick) => tick <= Math.min(...values)) ?? SECONDS[0];
  const max = SECONDS.find((tick) => tick > min && tick >= Math.max(...values)) ?? SECONDS.at(-1);
  return {
    type: "logarithmic",
    min,
    max,
    title: { display: true, text: "wall time of a run" },
    afterBuildTicks: (axis) => {
      axis.ticks = SECONDS.filter((value) => value >= min && value <= max).map((value) => ({ value }));
    },
    ticks: { callback: shortTime },
  };
}

function shortTime(seconds) {
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${seconds / 60} min` : `${seconds / 3600} h`;
}

function times(setup) {
  const models = byLook(figuresOf(setup))
    .map((model) => ({ ...model, seconds: runsOf(model.figure).map((run) => run.seconds) }))
    .filter(({ seconds }) => seconds.length);
  const { label } = data.setups[setup];
  const runs = new Map(models.flatMap(({ figure }) => figure.trials.map((number) => [number, data.trials[number].seconds])));
  return {
    label: `Dot chart, ${label}: wall time of a run by model.`,
    caption: `${label}: a point is the median of a model’s runs, its line their range. The axis is logarithmic. ${runs.size} runs took ${duration(sum([...runs.values()]))} in all. Runs that trained together share their time.`,
    series: models.map((model, y) => modelLine(model, [{ x: median(model.seconds), y, interval: [Math.min(...model.seconds), Math.max(...model.seconds)] }], { showLine: false, intervals: "x" })),
    scales: { x: timeAxis(models.flatMap(({ seconds }) => seconds)), y: modelAxis(models.map(({ name }) => name)) },
    height: heightFor(models),
    legend: false,
    tooltip: { title: () => "", label: (item) => `${item.dataset.label}: ${duration(item.parsed.x)}` },
    table: () => numbersTable("Wall time, seconds", ["model", "runs", "median", "least", "greatest", "sum"], models.map(({ name, seconds }) => [name, String(seconds.length), median(seconds), Math.min(...seconds), Math.max(...seconds), sum(seconds)])),
  };
}
