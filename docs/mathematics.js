// Typesets the formulas, which Arithmatex leaves as \(...\) and \[...\].
for (const formula of document.querySelectorAll(".arithmatex")) {
  const tex = formula.textContent.trim().slice(2, -2);
  const displayMode = formula.tagName === "DIV";
  katex.render(tex, formula, { displayMode, throwOnError: false });

  // Punctuation stays in the line of a short formula.
  const next = formula.nextSibling;
  const mark = next?.nodeType === Node.TEXT_NODE && next.data.match(/^[.,;:)?]+/);
  if (mark && formula.querySelectorAll(".katex-base").length === 1) {
    next.data = next.data.slice(mark[0].length);
    const line = document.createElement("span");
    line.style.whiteSpace = "nowrap";
    formula.replaceWith(line);
    line.append(formula, mark[0]);
  }
}
