"use strict";

// The page's script. Everything that it shows comes from the JSON in #data and is
// inserted as text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const UNKNOWN = "?";
  const LOWEST = 0.1; // lower end of a logarithmic axis of errors; 0 is drawn there
  const QUANTITIES = {
    gradient_angle: "angle between the gradient and backpropagation’s",
    angle: "angle between W and V",
  };
  const POINTS = ["circle", "rect", "triangle", "rectRot", "star", "rectRounded", "crossRot", "cross"];

  const find = (selector, from = document) => from.querySelector(selector);
  const findAll = (selector, from = document) => [...from.querySelectorAll(selector)];
  const percent = (value) => (value === null || value === undefined ? UNKNOWN : value.toFixed(2));
  const rateText = (rate) => (rate < 1e-3 ? rate.toExponential() : String(rate));
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const distinct = (values) => [...new Set(values)];

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children.map((child) => child ?? ""));
    return made;
  }

  const runsOf = (figure) => figure.trials.map((number) => data.trials[number]);
  const setupOf = (figure) => data.setups[figure.setup];
  const commandOf = (figure) => `${data.program} ${figure.flags} ${setupOf(figure).flags}`;
  const figuresOf = (setup) => data.figures.filter((figure) => figure.setup === setup);

  // Later batch sizes of a run; "" if all batches have one size.
  function laterBatches(run) {
    return run.batches.slice(1).map(([epoch, size]) => `${size} from epoch ${epoch + 1}`).join(", ");
  }

  /* Tables */

  function valueOf(row, column) {
    const cell = row.cells[column];
    const text = cell ? cell.dataset.value ?? cell.textContent.trim() : "";
    const number = Number(text);
    return text === "" ? null : Number.isNaN(number) ? text : number;
  }

  function compare(a, b, direction) {
    if (a === null || b === null) return (a === null) - (b === null); // unknown values last
    const order =
      typeof a === "number" && typeof b === "number"
        ? a - b
        : String(a).localeCompare(String(b), "en", { numeric: true });
    return direction * order;
  }

  function sort(table, header) {
    const ascending = header.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const groups = [...table.tBodies];
    const whole = groups.length > 1 || table.classList.contains("printed");
    const parts = whole ? groups : [...groups[0].rows];
    const key = (part) => valueOf(whole ? part.rows[0] : part, header.cellIndex);
    parts
      .map((part) => [key(part), part])
      .sort(([a], [b]) => compare(a, b, ascending ? 1 : -1))
      .forEach(([, part]) => part.parentElement.append(part));
  }

  function makeSortable(table) {
    for (const header of table.tHead.rows[0].cells) {
      if ("unsorted" in header.dataset) continue;
      const button = element("button", { type: "button" }, ...header.childNodes);
      button.addEventListener("click", () => sort(table, header));
      header.append(button);
    }
  }

  /* The runs behind a figure: by mouse, keyboard and touch */

  const tip = find("#tip");
  let host = null; // the element of the figure that the tip belongs to
  let timer = null;

  function ratesTable(figure) {
    const setup = setupOf(figure);
    const runs = runsOf(figure);
    const columns = setup.seeds.flatMap((seed) => {
      const ofSeed = runs.filter((run) => run.seed === seed);
      const procedures = ofSeed.length ? distinct(ofSeed.map(laterBatches)).sort() : [""];
      const best = Math.min(...ofSeed.map((run) => run.error));
      return procedures.map((later) => ({
        name: `seed ${seed}${later && `, batches of ${later}`}`,
        best,
        runs: ofSeed.filter((run) => laterBatches(run) === later),
      }));
    });
    const rates = [...setup.rates].sort((a, b) => b - a);
    const cell = (rate, column) => {
      const run = column.runs.find((one) => one.rate === rate);
      const text = run ? percent(run.error) + (run.diverged ? " div." : "") : "pending";
      return element("td", { class: run && run.error === column.best ? "best" : null }, text);
    };
    const head = ["rate", ...columns.map(({ name }) => name)].map((name) => element("th", { scope: "col" }, name));
    const rows = rates.map((rate) =>
      element("tr", {}, element("th", { scope: "row" }, rateText(rate)), ...columns.map((column) => cell(rate, column))),
    );
    return element(
      "table",
      {},
      element("caption", {}, "lowest error, %; ★ of a seed"),
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...rows),
    );
  }

  function fillTip(figure, shownText) {
    const setup = setupOf(figure);
    const runs = runsOf(figure);
    const spread = figure.spread === null ? "" : ` ± ${percent(figure.spread)}`;
    const parts = [
      element("strong", {}, `${figure.model} on ${setup.label}`),
      element("p", {}, `ours ${figure.error === null ? shownText : percent(figure.error)}${spread}, the paper’s ${percent(figure.paper)}; ${runs.length} of ${figure.expected} runs`),
      ratesTable(figure),
    ];
    if (runs.some((run) => run.diverged)) parts.push(element("p", {}, "div.: diverged; its error is that of its best epoch, or of guessing."));
    const copy = element("button", { type: "button" }, "Copy the command");
    copy.addEventListener("click", () => copyText(commandOf(figure), copy));
    const actions = element("div", { class: "actions" }, copy);
    if (runs.length) {
      const curves = element("button", { type: "button" }, "Learning curves");
      curves.addEventListener("click", () => showCurves(figure));
      actions.prepend(curves);
    }
    tip.replaceChildren(...parts, actions);
  }

  function place() {
    if (!host) return;
    const at = find("button[data-figure]", host).getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = tip;
    const left = Math.max(8, Math.min(at.left + at.width / 2 - width / 2, document.documentElement.clientWidth - width - 8));
    const below = at.bottom + 4;
    const fits = below + height <= window.innerHeight - 8 || at.top < height + 8;
    tip.style.left = `${left}px`;
    tip.style.top = `${fits ? Math.min(below, Math.max(8, window.innerHeight - height - 8)) : at.top - height - 4}px`;
  }

  function show(figureHost) {
    clearTimeout(timer);
    if (figureHost === host) return;
    hide();
    host = figureHost;
    const button = find("button[data-figure]", host);
    fillTip(data.figures[Number(button.dataset.figure)], button.textContent);
    host.append(tip); // next to the button, so that Tab enters it
    tip.showPopover();
    button.setAttribute("aria-expanded", "true");
    place();
  }

  function hide() {
    clearTimeout(timer);
    if (!host) return;
    find("button[data-figure]", host).setAttribute("aria-expanded", "false");
    host = null;
    tip.hidePopover();
  }

  function later(action, milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  }

  function watchFigures() {
    for (const button of findAll("button[data-figure]")) {
      button.setAttribute("aria-expanded", "false");
      button.setAttribute("aria-controls", "tip");
    }
    const figureOf = (target) => (target instanceof Element ? target.closest(".figure") : null);
    document.addEventListener("mouseover", (event) => {
      const over = figureOf(event.target);
      if (over && over !== host) later(() => show(over), 180);
      else if (over) clearTimeout(timer);
      else if (host && !host.contains(document.activeElement)) later(hide, 250);
      else if (!host) clearTimeout(timer);
    });
    document.addEventListener("focusin", (event) => {
      const at = figureOf(event.target);
      if (at) show(at);
      else hide();
    });
    document.addEventListener("click", (event) => {
      const at = figureOf(event.target);
      if (at && !tip.contains(event.target)) show(at);
      else if (!at) hide();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !host) return;
      const button = find("button[data-figure]", host);
      const inside = tip.contains(document.activeElement);
      hide();
      if (inside) {
        button.focus();
        hide(); // the focus has opened it again
      }
    });
    document.addEventListener("scroll", place, { capture: true, passive: true });
    window.addEventListener("resize", place);
  }

  /* Copying */

  async function copyText(text, button) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Not allowed for a page opened from a folder: use the old method.
      const area = element("textarea", { readonly: "", class: "unseen" });
      area.value = text;
      button.after(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.dataset.text ??= button.textContent;
    button.textContent = "Copied";
    find("#status").textContent = "Copied the command";
    setTimeout(() => {
      button.textContent = button.dataset.text;
      find("#status").textContent = "";
    }, 1600);
  }

  function watchCopies() {
    for (const button of findAll(".copy")) {
      button.addEventListener("click", () => copyText(document.getElementById(button.dataset.copy).textContent, button));
    }
  }

  /* Pictures: a function each returns its content, for Chart.js and as a table */

  const charts = new Map(); // by the id of the picture

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colors = (name) => style(name).split(/\s+/);

  function errorAxis(title) {
    return {
      type: "logarithmic",
      min: LOWEST,
      max: 100,
      title: { display: true, text: title },
      afterBuildTicks: (axis) => {
        axis.ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].filter((value) => value >= axis.min).map((value) => ({ value }));
      },
      ticks: { callback: (value) => String(value) },
    };
  }

  // The largest of 0.1, 0.2, 0.5, 1, ... that is below all values.
  function startOf(values) {
    const lowest = Math.min(100, ...values.filter((value) => value !== null));
    return [20, 10, 5, 2, 1, 0.5, 0.2].find((start) => start < lowest) ?? LOWEST;
  }

  function draw(id, picture) {
    const figure = document.getElementById(id);
    const canvas = find("canvas", figure);
    charts.get(id)?.destroy();
    canvas.setAttribute("aria-label", `${picture.label} The numbers are in the table below.`);
    find("figcaption", figure).textContent = picture.caption ?? "";
    const ink = style("--ink");
    const axes = Object.values(picture.scales);
    for (const axis of axes) {
      axis.grid = { color: style("--grid") };
      axis.border = { color: style("--line") };
      axis.ticks = { color: style("--quiet"), ...axis.ticks };
      axis.title = { color: style("--quiet"), ...axis.title };
    }
    const wide = figure.clientWidth > 640;
    charts.set(
      id,
      new Chart(canvas, {
        type: "line",
        data: { datasets: picture.series },
        options: {
          animation: false,
          maintainAspectRatio: false,
          devicePixelRatio: Math.max(2, window.devicePixelRatio),
          parsing: false,
          normalized: true,
          interaction: { mode: "nearest", intersect: false, ...picture.interaction },
          scales: picture.scales,
          plugins: {
            legend: {
              position: wide ? "right" : "bottom",
              labels: { color: ink, usePointStyle: true, boxHeight: 7, filter: (item, all) => !all.datasets[item.datasetIndex].unlisted },
            },
            tooltip: { usePointStyle: true, callbacks: picture.tooltip ?? {} },
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

  function line(label, points, color, changes = {}) {
    return {
      label,
      data: points.filter(({ y }) => y !== null && y !== undefined),
      borderColor: color,
      backgroundColor: color,
      borderWidth: 2,
      pointRadius: 4,
      pointHoverRadius: 6,
      clip: 10,
      ...changes,
    };
  }

  const inLog = (value) => (value === null ? null : Math.max(value, LOWEST));

  function signs(setup) {
    const [first, second, third] = colors("--series");
    const series = [];
    const columns = [];
    const places = new Set();
    concordanceRows(setup).forEach(([experiment, figures], index) => {
      const name = experiment.signs ?? experiment.title;
      const color = [first, second, third][index % 3];
      const pointStyle = ["circle", "triangle", "rect"][index % 3];
      const points = figures
        .map((figure, column) => ({ x: experiment.concordance[column], figure }))
        .filter(({ x, figure }) => x !== null && figure)
        .sort((a, b) => a.x - b.x);
      const ours = points.map(({ x, figure }) => ({ x, y: figure.error }));
      const papers = points.map(({ x, figure }) => ({ x, y: figure.paper }));
      for (const { x } of points) places.add(x);
      series.push(line(`ours, ${name}`, ours, color, { pointStyle, pointRadius: 5 }));
      series.push(line(`paper, ${name}`, papers, color, { pointStyle, pointRadius: 5, borderDash: [2, 4], borderWidth: 1.5, backgroundColor: style("--ground") }));
      const seeds = points.flatMap(({ x, figure }) => bestBySeed(figure).map((y) => ({ x, y })));
      if (seeds.length > ours.length) series.push(line(`a seed, ${name}`, seeds, color, { showLine: false, pointRadius: 2, unlisted: true }));
      columns.push([`ours, ${name}`, ours], [`paper, ${name}`, papers]);
    });
    const at = [...places].sort((a, b) => a - b);
    return {
      label: `Line chart, ${data.setups[setup].label}: error against the share of concordant signs.`,
      caption: `${data.setups[setup].label}. Filled and solid: ours, small points are single seeds; hollow and dotted: the paper’s ${data.setups[setup].paper ?? "(none)"}.`,
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

  // The experiments that vary the concordance of signs, with a setup's figures.
  function concordanceRows(setup) {
    return data.experiments
      .filter((experiment) => experiment.concordance)
      .flatMap((experiment) => {
        const row = experiment.rows.find(([number]) => number === setup);
        return row ? [[experiment, row[1].map((number) => (number === null ? null : data.figures[number]))]] : [];
      });
  }

  function bestBySeed(figure) {
    return setupOf(figure).seeds.flatMap((seed) => {
      const errors = runsOf(figure).filter((run) => run.seed === seed).map((run) => run.error);
      return errors.length ? [Math.min(...errors)] : [];
    });
  }

  function rates(setup, experimentNumber) {
    const experiment = data.experiments[experimentNumber];
    const row = experiment.rows.find(([number]) => number === setup);
    const figures = row ? row[1].filter((number) => number !== null).map((number) => data.figures[number]) : [];
    const all = [...data.setups[setup].rates].sort((a, b) => a - b);
    const palette = colors("--series");
    const lines = figures.map((figure) => [figure.model, all.map((rate) => ({ x: rate, y: atRate(figure, rate) }))]);
    return {
      label: `Line chart, experiment ${experiment.name} on ${data.setups[setup].label}: lowest error of each model by learning rate.`,
      caption: `Experiment ${experiment.name} on ${data.setups[setup].label}. Both axes are logarithmic.`,
      series: lines.map(([name, points], index) =>
        line(name, points.map(({ x, y }) => ({ x, y: inLog(y) })), palette[index % palette.length], { pointStyle: POINTS[index % POINTS.length], pointRadius: 5, borderDash: index >= palette.length ? [5, 4] : [] }),
      ),
      scales: {
        x: { type: "logarithmic", min: all[0] / 1.5, max: all.at(-1) * 1.5, title: { display: true, text: "base learning rate" }, afterBuildTicks: (axis) => { axis.ticks = all.map((value) => ({ value })); }, ticks: { callback: rateText } },
        y: { ...errorAxis("lowest error, %"), min: startOf(lines.flatMap(([, points]) => points.map(({ y }) => y))) },
      },
      tooltip: { title: (items) => `rate ${rateText(items[0]?.parsed.x)}`, label: (item) => `${item.dataset.label}: ${percent(lines[item.datasetIndex][1].find(({ x }) => x === item.parsed.x).y)} %` },
      table: () => numbersTable("Lowest error, %, by learning rate", ["model", ...all.map(rateText)], lines.map(([name, points]) => [name, ...points.map(({ y }) => y)])),
    };
  }

  // Mean over the seeds with this rate of the error of the better batch schedule.
  function atRate(figure, rate) {
    const runs = runsOf(figure).filter((run) => run.rate === rate);
    const bests = distinct(runs.map((run) => run.seed)).map((seed) => Math.min(...runs.filter((run) => run.seed === seed).map((run) => run.error)));
    return bests.length ? mean(bests) : null;
  }

  function curves(setup, figureNumber, seed) {
    const figure = data.figures[figureNumber];
    const runs = figure ? runsOf(figure).filter((run) => run.seed === seed) : [];
    runs.sort((a, b) => b.rate - a.rate || laterBatches(a).localeCompare(laterBatches(b)));
    const all = distinct(runs.map((run) => run.rate));
    const ramp = colors("--ramp");
    const names = runs.map((run) => rateText(run.rate) + (laterBatches(run) && `, batches of ${laterBatches(run)}`) + (run.diverged ? ", diverged" : ""));
    const points = (errors) => errors.map((error, index) => ({ x: index + 1, y: inLog(error) }));
    const series = runs.flatMap((run, index) => {
      const color = ramp[all.indexOf(run.rate) % ramp.length];
      const pointStyle = POINTS[index % POINTS.length];
      const pointRadius = run.test.length > 20 ? 0 : 4;
      return [
        line(names[index], points(run.test), color, { pointStyle, pointRadius }),
        line(`${names[index]}, training`, points(run.train), color, { pointStyle, pointRadius: pointRadius && 2, borderDash: [4, 4], borderWidth: 1.25, unlisted: true }),
      ];
    });
    const epochs = Math.max(0, ...runs.map((run) => run.test.length));
    const subject = figure ? `${figure.model} on ${data.setups[setup].label}, seed ${seed}` : data.setups[setup].label;
    const unfinished = names.filter((_, index) => !runs[index].test.length);
    return {
      label: `Line chart, ${subject}: test and training error by epoch for each learning rate.`,
      caption: `${subject}. Solid: test; dashed: training.${unfinished.length ? ` No epoch was finished at ${unfinished.join("; ")}.` : ""}`,
      series,
      scales: {
        x: { type: "linear", min: epochs > 1 ? 1 : 0, max: Math.max(epochs, 2), title: { display: true, text: "epoch" }, ticks: { precision: 0 } },
        y: { ...errorAxis("error, %"), min: startOf(runs.flatMap((run) => [...run.test, ...run.train])) },
      },
      tooltip: {
        title: (items) => `epoch ${items[0]?.parsed.x}`,
        label: (item) => {
          const run = runs[Math.floor(item.datasetIndex / 2)];
          const errors = item.datasetIndex % 2 ? run.train : run.test;
          return `${item.dataset.label}: ${percent(errors[item.parsed.x - 1])} %`;
        },
      },
      table: () =>
        numbersTable(
          "Error, %",
          ["epoch", ...names.flatMap((name) => [`${name}: test`, `${name}: training`])],
          Array.from({ length: epochs }, (_, index) => [index + 1, ...runs.flatMap((run) => [run.test[index] ?? "none", run.train[index] ?? "none"])]),
        ),
    };
  }

  // The best run of a seed among those with measured alignment.
  function alignedRun(figure, seed) {
    return runsOf(figure).filter((run) => run.seed === seed && run.alignment).sort((a, b) => a.error - b.error)[0];
  }

  function alignment(setup, seed, quantity) {
    const palette = colors("--series");
    const lines = figuresOf(setup)
      .map((figure) => [figure.model, alignedRun(figure, seed)])
      .filter(([, run]) => run)
      .map(([model, run]) => [model, run.alignment.map((layer) => layer[quantity])]);
    const depth = Math.max(0, ...lines.map(([, values]) => values.length));
    const subject = `${data.setups[setup].label}, seed ${seed}`;
    const words = QUANTITIES[quantity];
    return {
      label: `Line chart, ${subject}: ${words} of each layer after training, by model.`,
      caption: `${subject}: ${words}, after the last epoch of each model’s best run.`,
      series: lines.map(([model, values], index) =>
        line(model, values.map((y, at) => ({ x: at + 1, y })), palette[index % palette.length], { pointStyle: POINTS[index % POINTS.length], borderDash: index >= palette.length ? [5, 4] : [] }),
      ),
      scales: {
        x: { type: "linear", min: 1, max: Math.max(depth, 2), title: { display: true, text: "layer, from the bottom" }, ticks: { precision: 0 } },
        y: { type: "linear", min: 0, title: { display: true, text: "degrees" } },
      },
      tooltip: { title: (items) => `layer ${items[0]?.parsed.x}`, label: (item) => `${item.dataset.label}: ${item.parsed.y.toFixed(1)}°` },
      table: () => numbersTable(`${words}, degrees`, ["layer", ...lines.map(([model]) => model)], Array.from({ length: depth }, (_, index) => [index + 1, ...lines.map(([, values]) => values[index])])),
    };
  }

  function scatter(setup) {
    const { label, paper, pairs, correlation } = data.setups[setup];
    const known = figuresOf(setup).filter((figure) => figure.paper !== null && figure.error !== null);
    const palette = colors("--series");
    const start = startOf(known.flatMap((figure) => [figure.paper, figure.error]));
    const series = distinct(known.map((figure) => figure.rule)).map((rule, index) =>
      line(
        rule === "BP" ? "backpropagation" : rule,
        known.filter((figure) => figure.rule === rule).map((figure) => ({ x: inLog(figure.paper), y: inLog(figure.error), figure })),
        palette[index % palette.length],
        { showLine: false, pointStyle: POINTS[index % POINTS.length], pointRadius: 6, pointHoverRadius: 8 },
      ),
    );
    series.push(line("equal", [{ x: start, y: start }, { x: 100, y: 100 }], style("--quiet"), { pointRadius: 0, pointHoverRadius: 0, borderWidth: 1, borderDash: [3, 3], pointStyle: "line" }));
    const rank = correlation === null ? "too few different figures for a rank correlation" : `Spearman’s rank correlation ${correlation.toFixed(2)}`;
    return {
      label: `Scatter chart, ${label}: our error of ${pairs} models against the paper’s; ${rank}.`,
      caption: `${label} against the paper’s ${paper ?? "(none)"}: ${pairs} models, ${rank}. Both axes are logarithmic.`,
      series,
      scales: { x: { ...errorAxis("the paper’s error, %"), min: start }, y: { ...errorAxis("our error, %"), min: start } },
      interaction: { intersect: true },
      tooltip: { title: () => "", label: (item) => (item.raw.figure ? `${item.raw.figure.model}: ours ${percent(item.raw.figure.error)}, paper ${percent(item.raw.figure.paper)}` : "") },
      table: () => numbersTable("Error, %", ["model", "ours", "paper"], known.map((figure) => [figure.model, figure.error, figure.paper])),
    };
  }

  /* Menus above the pictures */

  function options(select, choices) {
    const chosen = select.value;
    select.replaceChildren(...choices.map(([value, text]) => element("option", { value }, text)));
    if (choices.some(([value]) => String(value) === chosen)) select.value = chosen;
    select.closest("label").hidden = choices.length < 2;
  }

  const numberIn = (id) => Number(document.getElementById(id).value);
  const select = (id) => document.getElementById(id);
  const setups = data.setups.map((setup, number) => [number, setup.label]);
  const withAlignment = (figure) => runsOf(figure).some((run) => run.alignment);
  const asChoice = (figure) => [data.figures.indexOf(figure), figure.model];
  const hasSigns = ([number]) => concordanceRows(number).length > 0;
  const hasAlignment = ([number]) => figuresOf(number).some(withAlignment);

  // Each fills its menus in order, and then draws.
  const pictures = {
    signs() {
      options(select("signs-setup"), setups.filter(hasSigns));
      draw("signs", signs(numberIn("signs-setup")));
    },
    rates() {
      options(select("rates-setup"), setups);
      const setup = numberIn("rates-setup");
      const shown = data.experiments.map((experiment, number) => [number, experiment]).filter(([, experiment]) => experiment.rows.some(([at]) => at === setup));
      options(select("rates-experiment"), shown.map(([number, experiment]) => [number, `${experiment.name}: ${experiment.title}`]));
      draw("rates", rates(setup, numberIn("rates-experiment")));
    },
    curves() {
      options(select("curves-setup"), setups);
      const setup = numberIn("curves-setup");
      options(select("curves-model"), figuresOf(setup).map(asChoice));
      options(select("curves-seed"), data.setups[setup].seeds.map((seed) => [seed, String(seed)]));
      draw("curves", curves(setup, numberIn("curves-model"), numberIn("curves-seed")));
    },
    alignment() {
      options(select("alignment-setup"), setups.filter(hasAlignment));
      const setup = numberIn("alignment-setup");
      const runs = figuresOf(setup).flatMap(runsOf).filter((run) => run.alignment);
      options(select("alignment-seed"), distinct(runs.map((run) => run.seed)).map((seed) => [seed, String(seed)]));
      options(select("alignment-quantity"), Object.entries(QUANTITIES));
      draw("alignment", alignment(setup, numberIn("alignment-seed"), select("alignment-quantity").value));
    },
    scatter() {
      options(select("scatter-setup"), setups);
      draw("scatter", scatter(numberIn("scatter-setup")));
    },
  };

  function shownPictures() {
    return Object.keys(pictures).filter((id) => (id === "signs" ? setups.some(hasSigns) : id === "alignment" ? setups.some(hasAlignment) : true));
  }

  Chart.defaults.font = { family: getComputedStyle(document.body).fontFamily, size: 12.5 };
  const drawAll = () => shownPictures().forEach((id) => pictures[id]());

  function showCurves(figure) {
    select("curves-setup").value = figure.setup;
    pictures.curves(); // fills the menu of models for that data set
    select("curves-model").value = data.figures.indexOf(figure);
    pictures.curves();
    hide();
    find("#curves-section").focus();
    find("#curves-section").scrollIntoView();
  }

  function watchPictures() {
    for (const id of shownPictures()) {
      for (const one of findAll(`#${id} select`)) one.addEventListener("change", pictures[id]);
    }
    for (const id of ["signs", "alignment"]) {
      const shown = shownPictures().includes(id);
      select(`${id}-part`).hidden = select(`to-${id}`).hidden = !shown;
    }
    drawAll();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  }

  /* The filter */

  function filter(chosen) {
    for (const part of findAll("[data-setup]")) part.hidden = chosen !== "" && part.dataset.setup !== chosen;
    for (const section of findAll("main > section:has(.printed)")) {
      section.hidden = !findAll(".printed tbody", section).some((body) => !body.hidden);
    }
    find("#filtered").textContent = chosen === "" ? "" : `${data.setups[chosen].label} only`;
    if (chosen !== "") {
      for (const one of findAll("select[id$=-setup]")) {
        if ([...one.options].some((option) => option.value === chosen)) one.value = chosen;
      }
      drawAll();
    }
  }

  /* The list of trials: long, so written when it is first opened */

  function writeTrials() {
    const list = find("#trial-list .scroll");
    if (list.childElementCount) return;
    const heads = [["model", ""], ["data set", "text"], ["seed", ""], ["learning rate", ""], ["batches", "text"], ["error, %", ""], ["best epoch", ""], ["seconds", ""], ["file", "text"]];
    const link = (run) => element("a", { href: run.href }, run.file);
    const rows = data.trials.map((run) => {
      return element(
        "tr",
        {},
        element("th", { scope: "row" }, run.model),
        element("td", { class: "text" }, run.dataset),
        element("td", {}, String(run.seed)),
        element("td", { "data-value": run.rate }, rateText(run.rate)),
        element("td", { class: "text" }, [String(run.batches[0][1]), laterBatches(run)].filter(Boolean).join(", ")),
        element("td", { "data-value": run.error }, percent(run.error) + (run.diverged ? " (diverged)" : "")),
        element("td", { "data-value": run.epoch ?? "" }, run.epoch === null ? "none" : String(run.epoch)),
        element("td", {}, run.seconds.toFixed(1)),
        element("td", { class: "text" }, link(run)),
      );
    });
    const table = element(
      "table",
      { class: "sortable" },
      element("caption", { class: "unseen" }, "Trials"),
      element("thead", {}, element("tr", {}, ...heads.map(([text, kind]) => element("th", { scope: "col", class: kind || null }, text)))),
      element("tbody", {}, ...rows),
    );
    makeSortable(table);
    list.append(table);
  }

  /* Printing: on white, with all details open */

  function watchPrinting() {
    let opened = [];
    window.addEventListener("beforeprint", () => {
      document.documentElement.classList.add("printing");
      opened = findAll("details.models:not([open])");
      for (const part of opened) part.open = true;
      drawAll();
    });
    window.addEventListener("afterprint", () => {
      document.documentElement.classList.remove("printing");
      for (const part of opened) part.open = false;
      drawAll();
    });
  }

  document.documentElement.classList.add("js");
  findAll("table.sortable").forEach(makeSortable);
  watchFigures();
  watchCopies();
  watchPictures();
  watchPrinting();
  find("#filter")?.addEventListener("change", (event) => filter(event.target.value));
  find("#trial-list").addEventListener("toggle", writeTrials);
})();
