"""Tables and claims in the terminal."""

from collections.abc import Sequence

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
)
from keras_asymbp.benchmarks.results import verdicts
from keras_asymbp.benchmarks.results.aggregates import Aggregate
from keras_asymbp.benchmarks.results.assessment import Assessment
from keras_asymbp.benchmarks.results.table import Table

_STYLES = {"worse": "yellow", "better": "bright_blue", None: ""}
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
    for assessment in assessments:
        console.print(_claims(assessment, [other.setup for other in assessments]))
        for line in (summary(assessment), *map(_agreement, assessment.agreements)):
            _print(line, console)
    _print(f"{RULE} {MARGIN}", console)


def _print(text, console, soft_wrap=False):
    console.print(rich.text.Text(text), highlight=False, soft_wrap=soft_wrap)


def _claims(assessment, setups):
    setup = assessment.setup
    title = f"{setup.label(setups)}, {setup.preset}" if setup else "no results"
    grid = rich.table.Table(title=_text(title), show_lines=True)
    for heading in ("", "claim", "verdict", "margins (95 %)", "holds if", "the paper"):
        grid.add_column(heading)
    for finding in assessment.findings:
        claim = finding.claim
        grid.add_row(
            _text(claim.name),
            _text(claim.statement),
            _text(finding.verdict, _VERDICTS[finding.verdict]),
            rich.text.Text("\n").join(map(_tested, finding.tested)) or UNKNOWN,
            _text(claim.test),
            f"{finding.papers[0]} of {finding.papers[1]}",
        )
    return grid


def _tested(tested):
    return _text(f"{tested.check.label} {margins(tested)}, {limits(tested.check)}")


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
