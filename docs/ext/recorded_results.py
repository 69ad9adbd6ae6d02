"""Puts recorded results on a page, read from the recorded report.

A comment `<!-- recorded C2 of quick-mnist_5k -->` becomes a table: a row for each
model, a column for each of the three ways to train it, our error and the paper's. Of
another experiment than C2 it becomes the report's own tables.
"""

import re

from markupsafe import Markup
from recorded_folders import RESULTS

from keras_asymbp.benchmarks.escaping import markdown

_MARK = re.compile(r"^<!-- recorded (\S+) of (\S+) -->$", re.MULTILINE)


def on_page_markdown(markdown, **kwargs):
    """Called by MkDocs with the text of each page."""
    return _MARK.sub(lambda mark: _recorded(mark[1], mark[2]), markdown)


def _recorded(experiment, folder):
    if experiment == "C2":
        return _as_table(figures(experiment, folder))
    return "\n\n".join(tables(experiment, folder))


def tables(experiment, folder):
    """The tables of an experiment, of each data set and protocol, as printed."""
    report = (RESULTS / folder / "report.md").read_text(encoding="utf-8")
    heading = rf"^## {re.escape(experiment)}: .*\n\n((?:\|.*\n)+)"
    return [text.strip() for text in re.findall(heading, report, re.MULTILINE)]


def figures(experiment, folder):
    """The figures of an experiment by model: ours and the paper's, as printed."""
    report = (RESULTS / folder / "report.md").read_text(encoding="utf-8")
    section = report.partition(f"\n## {experiment}: ")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    models, _, ours, papers = (
        [cell.strip() for cell in row.strip("|").split("|")][1:] for row in rows[:4]
    )
    return dict(zip(models, zip(ours, papers, strict=True), strict=True))


def _as_table(figures):
    rows = []
    for model in figures:
        if not model.endswith((" Bottom", " Top")):
            trained = (figures[f"{model}{how}"] for how in ("", " Bottom", " Top"))
            cells = (
                Markup(f"{ours.split()[0]} <small>{paper}</small>")
                for ours, paper in trained
            )
            rows.append([model, *cells])
    titles = ["error, %", "all learn", Markup("*Bottom*"), Markup("*Top*")]
    return markdown.table(titles, rows)
