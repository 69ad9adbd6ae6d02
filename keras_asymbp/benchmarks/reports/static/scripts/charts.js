// Drawing: a picture is its data sets, axes, words, and a table of its numbers.

const LOWEST = 0.1; // lower end of a logarithmic axis of errors; 0 is drawn there
const ERRORS = [LOWEST, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
const charts = new Map(); // by the id of the picture
const inLog = (value) => (value === null || value === undefined ? null : Math.max(value, LOWEST));

function errorAxis(title, values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  const min = ERRORS.findLast((tick) => tick < Math.min(50, ...known)) ?? LOWEST;
  const max = ERRORS.find((tick) => tick > min && tick >= Math.max(min, ...known)) ?? 100;
  return {
    type: "logarithmic",
    min,
    max,
    title: { display: true, text: title },
    afterBuildTicks: (axis) => {
      axis.ticks = ERRORS.filter((value) => value >= min && value <= max).map((value) => ({ value }));
    },
    ticks: { callback: (value) => String(value) },
  };
}

// An axis with a line for each model, by name.
function modelAxis(names) {
  return {
    type: "linear",
    reverse: true,
    min: -0.5,
    max: names.length - 0.5,
    afterBuildTicks: (axis) => {
      axis.ticks = names.map((_, value) => ({ value }));
    },
    ticks: { callback: (value) => names[value].split(/ (?==)/), autoSkip: false, font: { lineHeight: 1 } },
  };
}

function line(label, points, color, changes = {}) {
  return {
    label,
    data: points.filter(({ x, y }) => (x ?? null) !== null && (y ?? null) !== null),
    borderColor: color,
    borderWidth: 2,
    markRadius: 4.5,
    pointRadius: 0,
    pointHitRadius: 8,
    clip: 10,
    segment: {}, // draws without Path2D, which svg.js could not write down
    ...changes,
  };
}

const heightFor = (names) => 110 + 27 * names.length;

// The line of a model, with its look.
function modelLine({ figure, name }, points, changes = {}) {
  const mark = lookOf(figure);
  return line(name, points, mark.color, { mark, borderDash: mark.dash, ...changes });
}

function draw(id, picture) {
  const figure = document.getElementById(id);
  const canvas = find("canvas", figure);
  charts.get(id)?.destroy();
  canvas.setAttribute("aria-label", `${picture.label} The numbers are in the table below.`);
  find("figcaption", figure).textContent = picture.caption ?? "";
  find(".plot", figure).style.height = picture.height ? `${picture.height}px` : "";
  for (const axis of Object.values(picture.scales)) {
    axis.grid = { color: style("--grid") };
    axis.border = { color: style("--line") };
    axis.ticks = { color: style("--quiet"), ...axis.ticks };
    axis.title = { color: style("--quiet"), ...axis.title };
  }
  const wide = figure.clientWidth > 640;
  const listed = picture.series.filter(({ unlisted }) => !unlisted).length;
  find(".plot", figure).style.minHeight = wide && picture.legend !== false ? `${60 + 23 * listed}px` : "";
  charts.set(
    id,
    new Chart(canvas, {
      type: "line",
      data: { datasets: picture.series },
      plugins: [MARKS],
      options: {
        animation: false,
        maintainAspectRatio: false,
        devicePixelRatio: Math.max(2, window.devicePixelRatio),
        parsing: false,
        normalized: true,
        interaction: { mode: "nearest", intersect: false, ...picture.interaction },
        scales: picture.scales,
        plugins: {
          legend: { ...legendOptions(wide), display: picture.legend !== false },
          tooltip: { displayColors: false, callbacks: picture.tooltip ?? {} },
        },
      },
    }),
  );
  find(".numbers .scroll", figure).replaceChildren(picture.table());
}

function numbersTable(caption, heads, rows) {
  const cell = (value) => element("td", {}, typeof value === "number" ? percent(value) : value ?? UNKNOWN);
  return element(
    "table",
    {},
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...rows.map(([head, ...values]) => element("tr", {}, element("th", { scope: "row" }, String(head)), ...values.map(cell)))),
  );
}
