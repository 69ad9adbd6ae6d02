"""Tables and claims in the terminal."""

from collections.abc import Sequence

import rich.console
import rich.measure
import rich.table
import rich.text

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
    console.print(legend(table), markup=False, highlight=False)


def show_plain(table: Table, console: rich.console.Console) -> None:
    """Prints the table as Markdown, for output to files and pipes."""
    text = render("table.md", table=table)
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    console.print(legend(table), markup=False, highlight=False, soft_wrap=True)


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
        return console.print(text, markup=False, highlight=False, soft_wrap=True)
    for assessment in assessments:
        console.print(_claims(assessment))
        lines = [summary(assessment), *map(_agreement, assessment.agreements)]
        console.print("\n".join(lines), markup=False, highlight=False)
    console.print(f"{RULE} {MARGIN}", markup=False, highlight=False)


def _claims(assessment):
    setup = assessment.setup
    title = f"{setup.dataset.name}, {setup.preset}" if setup else "no results"
    grid = rich.table.Table(title=rich.text.Text(title), show_lines=True)
    for heading in ("", "claim", "verdict", "margins (95 %)", "holds if", "the paper"):
        grid.add_column(heading)
    for finding in assessment.findings:
        claim = finding.claim
        grid.add_row(
            claim.name,
            claim.statement,
            rich.text.Text(finding.verdict, style=_VERDICTS[finding.verdict]),
            "\n".join(
                f"{tested.check.label} {margins(tested)}, {limits(tested.check)}"
                for tested in finding.tested
            )
            or UNKNOWN,
            claim.test,
            f"{finding.papers[0]} of {finding.papers[1]}",
        )
    return grid


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
        grid.add_column(column.name.replace(" ", "\n"), justify="right")
    for row in table.rows:
        name = row.plan.setup.dataset.name
        printed = row.plan.printed_row()
        grid.add_row(
            name,
            *(_styled(ours(e), e.mark) for e in row.entries),
            end_section=not printed,
        )
        if printed:
            grid.add_row(
                rich.text.Text(printed, style="italic"),
                *(_styled(paper(e), e.paper_mark) for e in row.entries),
                end_section=True,
            )
    return grid


def _by_model(table):
    grid = _grid(table)
    grid.add_column("")
    for row in table.rows:
        grid.add_column(row.plan.setup.dataset.name, justify="right")
        printed = row.plan.printed_row() or ""
        grid.add_column(printed, justify="right", style="italic")
    for number, column in enumerate(table.columns):
        cells = []
        for row in table.rows:
            entry = row.entries[number]
            cells += [
                _styled(ours(entry), entry.mark),
                _styled(paper(entry), entry.paper_mark),
            ]
        grid.add_row(column.name, *cells)
    return grid


def _grid(table):
    experiment = table.experiment
    return rich.table.Table(
        title=f"Experiment {experiment.name} ({experiment.table}): error, %"
    )


def _styled(text, mark):
    return rich.text.Text(text, style=_STYLES[mark])
