// Tables that a click on a heading sorts.

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

// What a table's rows are sorted as: a row of its own, or one with the paper's below.
function sortedParts(table) {
  const groups = [...table.tBodies];
  const whole = groups.length > 1 || table.classList.contains("printed");
  return whole ? groups.map((group) => [group.rows[0], group]) : [...groups[0].rows].map((row) => [row, row]);
}

function sort(table, header) {
  const ascending = header.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  sortedParts(table)
    .map(([row, part]) => [valueOf(row, header.cellIndex), part])
    .sort(([a], [b]) => compare(a, b, ascending ? 1 : -1))
    .forEach(([, part]) => part.parentElement.append(part));
}

function makeSortable(table) {
  if (sortedParts(table).length < 2) return;
  for (const header of table.tHead.rows[0].cells) {
    const button = element("button", { type: "button" }, ...header.childNodes);
    button.addEventListener("click", () => sort(table, header));
    header.append(button);
  }
}
