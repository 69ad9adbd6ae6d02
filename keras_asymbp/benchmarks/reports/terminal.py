"""Tables and claims in the terminal."""

from collections.abc import Sequence

import rich.box
import rich.console
import rich.measure
import rich.table
import rich.text

from keras_asymbp.benchmarks.escaping.printable import one_line
from keras_asymbp.benchmarks.reports.rendering import render
from keras_asymbp.benchmarks.reports.words import (
    MARGIN,
    RULE,
    UNKNOWN,
    bounds,
    legend,
    limits,
    margins,
    ours,
    paper,
    summary,
    titles,
)
from keras_asymbp.benchmarks.results import verdicts
from keras_asymbp.benchmarks.results.aggregates import Aggregate
from keras_asymbp.benchmarks.results.assessment import Assessment
from keras_asymbp.benchmarks.results.table import Table

_STYLES = {"worse": "yellow", "better": "bright_blue", None: ""}
# "not enough results" takes two lines; the others one.
_VERDICT = len("does not hold")
_VERDICTS = {
    verdicts.HOLDS: "green",
    verdicts.FAILS: "bold red",
    verdicts.UNDECIDED: "",
    verdicts.UNKNOWN: "dim",
}


def show(table: Table, console: rich.console.Console) -> None:
    """Prints the table in the paper's layout, or one line a model if too wide."""
    grid = _as_printed(table)
    unlimited = console.options.update_width(10_000)
    if rich.measure.Measurement.get(console, unlimited, grid).maximum > console.width:
        grid = _by_model(table)
    console.print(grid)
    _print(legend(table), console)


def show_plain(table: Table, console: rich.console.Console) -> None:
    """Prints the table as Markdown, for output to files and pipes."""
    _print(render("table.md", table=table), console, soft_wrap=True)
    _print(legend(table), console, soft_wrap=True)


def show_claims(
    assessments: Sequence[Assessment],
    across: Sequence[Sequence[Aggregate]],
    console: rich.console.Console,
) -> None:
    """Prints the findings: tables in a terminal, otherwise Markdown with all details.

    Args:
        assessments: The setups against the paper.
        across: Comparisons across data sets, printed in Markdown only.
        console: The console.
    """
    if not console.is_terminal:
        text = render("claims.md", assessments=assessments, across=across)
        return _print(text, console, soft_wrap=True)
    for assessment, title in zip(assessments, titles(assessments), strict=True):
        console.print(_claims(assessment, title))
        for line in (summary(assessment), *map(_agreement, assessment.agreements)):
            _print(line, console)
    _print(f"{RULE} {MARGIN}", console)


def _print(text, console, soft_wrap=False):
    console.print(rich.text.Text(text), highlight=False, soft_wrap=soft_wrap)


def _claims(assessment, title):
    """A claim is a block: verdict and statement, then its inequalities."""
    grid = rich.table.Table(title=_text(title), box=rich.box.HORIZONTALS)
    grid.add_column("verdict", max_width=_VERDICT)
    grid.add_column("claim, and the effects that it rests on, in margins (95 %)")
    for finding in assessment.findings:
        verdict = _text(finding.verdict, _VERDICTS[finding.verdict])
        grid.add_row(verdict, _claim(finding), end_section=True)
    return grid


def _claim(finding):
    claim = finding.claim
    passed, of = finding.papers
    papers = f"{passed} of {of} data sets" if of else "no figures"
    tests = rich.table.Table.grid(padding=(0, 2, 0, 0))
    tests.add_column()
    tests.add_column(justify="right", no_wrap=True)
    tests.add_column(no_wrap=True)
    for tested in finding.tested:
        check = tested.check
        row = check.label, margins(tested), limits(check)
        tests.add_row(*map(_text, row))
    return rich.console.Group(
        rich.text.Text.assemble((claim.name, "bold"), ": ", one_line(claim.statement)),
        _text(f"holds if {claim.test}; the paper: {papers}", "dim"),
        *([tests] if finding.tested else []),
    )


def _agreement(agreement):
    correlation = agreement.correlation
    value = UNKNOWN if correlation is None else f"{correlation:.2f}"
    return (
        f"Rank correlation with {agreement.place}: {value} "
        f"({bounds(agreement.low, agreement.high)}), {agreement.models} models"
    )


def _as_printed(table):
    grid = _grid(table)
    grid.add_column("")
    for column in table.columns:
        words = map(_text, column.name.split(" "))
        grid.add_column(rich.text.Text("\n").join(words), justify="right")
    for row in table.rows:
        printed = row.plan.printed_row()
        grid.add_row(
            _text(row.plan.setup.dataset.name),
            *(_text(ours(e), _STYLES[e.mark]) for e in row.entries),
            end_section=not printed,
        )
        if printed:
            grid.add_row(
                _text(printed, "italic"),
                *(_text(paper(e), _STYLES[e.paper_mark]) for e in row.entries),
                end_section=True,
            )
    return grid


def _by_model(table):
    grid = _grid(table)
    grid.add_column("")
    for row in table.rows:
        grid.add_column(_text(row.plan.setup.dataset.name), justify="right")
        printed = _text(row.plan.printed_row() or "")
        grid.add_column(printed, justify="right", style="italic")
    for number, column in enumerate(table.columns):
        cells = []
        for row in table.rows:
            entry = row.entries[number]
            cells += [
                _text(ours(entry), _STYLES[entry.mark]),
                _text(paper(entry), _STYLES[entry.paper_mark]),
            ]
        grid.add_row(_text(column.name), *cells)
    return grid


def _grid(table):
    experiment = table.experiment
    title = f"Experiment {experiment.name} ({experiment.table}): error, %"
    return rich.table.Table(title=_text(title))


def _text(text, style=""):
    """A text of a table: neither rich's markup nor a terminal's commands."""
    return rich.text.Text(one_line(text), style=style)
