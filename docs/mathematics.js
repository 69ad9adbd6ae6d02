// Typesets the formulas, which Arithmatex leaves as \(...\) and \[...\].
for (const formula of document.querySelectorAll(".arithmatex")) {
  const tex = formula.textContent.trim().slice(2, -2);
  const displayMode = formula.tagName === "DIV";
  katex.render(tex, formula, { displayMode, throwOnError: false });
}
