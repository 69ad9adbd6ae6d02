// A table as CSV and as LaTeX, escaped as results.csv and report.tex are.

const FORMULA = new Set("=+-@");
const SEPARATORS = /[\s,;|"]/;
const LATEX = {
  ...Object.fromEntries([..."&%$#_{}"].map((sign) => [sign, `\\${sign}`])),
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  "`": "\\textasciigrave{}",
  '"': "\\textquotedbl{}",
  "-": "-{}",
  "'": "\\textquotesingle{}",
  "’": "'",
  "[": "{[}",
  "]": "{]}",
  "*": "{*}",
  "▲": "$\\uparrow$",
  "▼": "$\\downarrow$",
  "±": "$\\pm$",
  "−": "$-$",
  "°": "$^\\circ$",
};

function latexText(text) {
  const kept = (sign) => (sign >= " " && sign <= "}") || (/[À-ÿ]/.test(sign) && !/[×÷ÐðÞþ]/.test(sign));
  const escaped = [...text].map((sign) => LATEX[sign] ?? (kept(sign) ? sign : "?")).join("");
  return escaped.replaceAll(",,", ",{},").replaceAll(",,", ",{},"); // a quotation mark in T1
}

function csvCell(text) {
  const first = text.slice(0, 1);
  const number = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text);
  const risky = first === "'" || /[\s\p{C}]/u.test(first) || FORMULA.has(first.normalize("NFKC"));
  const safe = risky && !number ? `'${text}` : text;
  return SEPARATORS.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// The text of a cell as it is seen, on one line.
function shownText(cell) {
  const copy = cell.cloneNode(true);
  for (const part of findAll(cell.matches("td") ? ".unseen, #tip" : "#tip", copy)) part.remove();
  for (const part of findAll("li:not(:last-child), br", copy)) part.after("; ");
  return copy.textContent.replace(/\s+/g, " ").trim();
}

// The parts of a figure: its value and its spread. Other texts are whole.
function partsOf(cell) {
  const text = shownText(cell);
  const [, value, spread] = /^([\d.]+)[▲▼]?(?: ±([\d.]+))?$/.exec(text) ?? [];
  if (value === undefined) return [text, ""];
  const exact = cell.dataset.value ? String(Number(Number(cell.dataset.value).toPrecision(6))) : value;
  return [exact, spread ?? ""];
}

const isShown = (row) => !row.hidden && !row.parentElement.hidden;
const rowsShown = (table) => [...table.rows].filter(isShown).map((row) => [...row.cells]);
const captionOf = (table) => shownText(table.caption);

// A column with spreads is followed by one of them.
function asCsv(table) {
  const [head, ...rows] = rowsShown(table).map((row) => row.map(partsOf));
  const withSpread = head.map((_, at) => rows.some((row) => row[at]?.[1]));
  const names = head.flatMap(([name], at) => (withSpread[at] ? [name, `${name} ±`] : [name]));
  const cells = rows.map((row) => row.flatMap(([value, spread], at) => (withSpread[at] ? [value, spread] : [value])));
  return [names, ...cells].map((row) => `${row.map(csvCell).join(",")}\n`).join("");
}

function asLatex(table) {
  const [head, ...rows] = rowsShown(table);
  const columns = head.map((cell, index) => (index === 0 || cell.matches(".text") ? "l" : "r")).join("");
  const line = (row) => `    ${row.map((cell) => latexText(shownText(cell))).join(" & ")} \\\\\n`;
  return [
    "% Needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}.\n",
    "\\begin{table}\n  \\centering\n",
    `  \\caption{${latexText(captionOf(table))}}\n`,
    `  \\begin{tabular}{${columns}}\n    \\toprule\n`,
    line(head),
    "    \\midrule\n",
    ...rows.map(line),
    "    \\bottomrule\n  \\end{tabular}\n\\end{table}\n",
  ].join("");
}
