// The marks of models, from pictures/looks.py: colours mean the rule, markers BN and BM,
// lines and half-filled markers Bottom or Top.

// Number of corners and the direction of the first, in degrees.
const CORNERS = { o: [0, 0], s: [4, 45], "^": [3, 0], D: [4, 0], v: [3, 180], "<": [3, 270], ">": [3, 90], p: [5, 0], h: [6, 0] };
const DASHES = { "-": [], "--": [7, 4], ":": [2, 3] };
const SAMPLE = 34; // width of a legend's sample

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const isPrinting = () => document.documentElement.classList.contains("printing");
const isDark = () => !isPrinting() && matchMedia("(prefers-color-scheme: dark)").matches;

function lookOf(figure) {
  const [color, onDark, marker, line, fill, shade] = data.looks[figure.look];
  return { color: isDark() ? onDark : color, marker, dash: DASHES[line], fill, shade };
}

// Figures by their look: columns that look alike are the same runs.
const byLook = (figures) => [...groupBy(figures, (figure) => figure.look).values()].map((same) => ({ figure: same[0], name: distinct(same.map(({ model }) => model)).join(" = ") }));

// A colour (#rrggbb) on its way to another.
function mixed(color, other, share) {
  const parts = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  const ends = parts(other);
  return `#${parts(color).map((part, at) => Math.round(part + share * (ends[at] - part)).toString(16).padStart(2, "0")).join("")}`;
}

function outline(context, marker, x, y, radius) {
  const [corners, turned] = CORNERS[marker];
  context.beginPath();
  if (!corners) context.arc(x, y, radius, 0, 2 * Math.PI);
  for (const corner of range(corners)) {
    const angle = (turned / 180 + (2 * corner) / corners - 0.5) * Math.PI;
    const point = [x + 1.2 * radius * Math.cos(angle), y + 1.2 * radius * Math.sin(angle)];
    if (corner) context.lineTo(...point);
    else context.moveTo(...point);
  }
  if (corners) context.closePath();
}

function drawMark(context, { color, marker, fill, shade }, x, y, radius) {
  context.save();
  context.setLineDash([]);
  outline(context, marker, x, y, radius);
  context.fillStyle = mixed(style("--ground"), color, fill === "full" ? shade : 0);
  context.fill();
  if (fill !== "full") {
    context.save();
    context.beginPath();
    context.rect(x - 2 * radius, fill === "bottom" ? y : y - 2 * radius, 4 * radius, 2 * radius);
    context.clip();
    outline(context, marker, x, y, radius);
    context.fillStyle = mixed(style("--ground"), color, shade);
    context.fill();
    context.restore();
  }
  outline(context, marker, x, y, radius);
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.stroke();
  context.restore();
}

function drawLine(context, from, to, dataset, width) {
  context.save();
  context.strokeStyle = dataset.borderColor;
  context.lineWidth = width;
  context.setLineDash(dataset.borderDash ?? []);
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
  context.restore();
}

// The interval of each point of a data set that has one, across or along its axis.
function drawIntervals(chart, dataset, points) {
  const axis = dataset.intervals;
  if (!axis) return;
  points.forEach(({ x, y }, index) => {
    const ends = dataset.data[index].interval?.map((end) => chart.scales[axis].getPixelForValue(dataset.inLog ? inLog(end) : end));
    if (!ends) return;
    const [from, to] = ends.map((end) => (axis === "x" ? [end, y] : [x, end]));
    drawLine(chart.ctx, from, to, { borderColor: dataset.borderColor }, 1.5);
  });
}

// Chart.js's own points and legend have neither half-filled markers nor lines.
const MARKS = {
  id: "marks",
  afterDatasetDraw(chart, { index, meta }) {
    const dataset = chart.data.datasets[index];
    drawIntervals(chart, dataset, meta.data);
    if (!dataset.mark || !dataset.markRadius) return;
    for (const { x, y, active } of meta.data) drawMark(chart.ctx, dataset.mark, x, y, dataset.markRadius + (active ? 2 : 0));
  },
  afterDatasetsDraw(chart) {
    if (!chart.legend.options.display) return;
    chart.legend.legendItems.forEach((item, index) => {
      const { left, top, height } = chart.legend.legendHitBoxes[index];
      const dataset = chart.data.datasets[item.datasetIndex];
      const y = top + height / 2;
      chart.ctx.save();
      if (item.hidden) chart.ctx.globalAlpha = 0.35;
      if (dataset.showLine !== false) drawLine(chart.ctx, [left + 1, y], [left + SAMPLE - 1, y], dataset, dataset.borderWidth);
      if (dataset.mark) drawMark(chart.ctx, dataset.mark, left + SAMPLE / 2, y, 4.5);
      chart.ctx.restore();
    });
  },
};

const INVISIBLE = "rgba(0, 0, 0, 0)";

// A legend with room for samples; an entry may switch other data sets with its own.
const legendOptions = (wide) => ({
  position: wide ? "right" : "bottom",
  labels: {
    color: style("--ink"),
    usePointStyle: true,
    pointStyleWidth: SAMPLE,
    boxHeight: 9,
    generateLabels: (chart) =>
      Chart.defaults.plugins.legend.labels
        .generateLabels(chart)
        .filter((item) => !chart.data.datasets[item.datasetIndex].unlisted)
        .map((item) => ({ ...item, fillStyle: INVISIBLE, strokeStyle: INVISIBLE })),
  },
  onClick: (_, item, legend) => {
    const { chart } = legend;
    const shown = !chart.isDatasetVisible(item.datasetIndex);
    for (const index of [item.datasetIndex, ...(chart.data.datasets[item.datasetIndex].covers ?? [])]) chart.setDatasetVisibility(index, shown);
    chart.update();
  },
});
