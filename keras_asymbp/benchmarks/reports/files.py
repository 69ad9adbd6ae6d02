"""Report files: Markdown, LaTeX, HTML and CSV in a results folder."""

import collections
import pathlib
from collections.abc import Sequence

from keras_asymbp.benchmarks.counting import counted
from keras_asymbp.benchmarks.reports import page as pages
from keras_asymbp.benchmarks.reports import rows as csv_rows
from keras_asymbp.benchmarks.reports.rendering import render
from keras_asymbp.benchmarks.reports.words import legend
from keras_asymbp.benchmarks.results import garbage
from keras_asymbp.benchmarks.results.aggregates import Aggregate
from keras_asymbp.benchmarks.results.assessment import Assessment
from keras_asymbp.benchmarks.results.atomic import write_atomically
from keras_asymbp.benchmarks.results.inventory import Inventory
from keras_asymbp.benchmarks.results.table import Row, Table, fill, group
from keras_asymbp.benchmarks.tables.reproduce import reproduce


def write(rows: Sequence[Row], held: Inventory) -> None:
    """Writes `report.md`, `report.tex`, `report.html` and `results.csv`.

    The first two show the rows of a command, the others the whole folder. Other
    processes may still be adding trials.

    Args:
        rows: The filled plans of the command.
        held: The contents of the results folder.

    Raises:
        OSError: If a file can't be written.
    """
    filled = {row.plan: row for row in rows}
    all_rows = [
        filled.get(plan) or fill(plan, held.store) for plan in held.plans([*filled])
    ]
    page = pages.build(group(all_rows), held)
    _write(group(rows), page, held, "of the last command")


@garbage.unsearched()
def write_all(held: Inventory) -> pages.Page:
    """Writes the same files, all for the whole results folder.

    Other processes may still be adding trials; missing ones are shown as missing.

    Args:
        held: The contents of the results folder.

    Returns:
        The content of `report.html`.

    Raises:
        UsageError: If there is nothing to show.
        OSError: If a file can't be written.
    """
    tables = [Table((fill(plan, held.store),)) for plan in held.plans()]
    if not tables:
        raise held.nothing("a report")
    page = pages.build(tables, held)
    _write(tables, page, held, "on this page")
    return page


def write_claims(
    assessments: Sequence[Assessment],
    across: Sequence[Sequence[Aggregate]],
    folder: pathlib.Path,
) -> None:
    """Writes `claims.md` into a results folder."""
    text = render("claims.md", assessments=assessments, across=across)
    write_atomically(folder / "claims.md", text)


def _write(tables, page, held, origin):
    assessed = {
        setup: (name, assessment)
        for setup, name, assessment in zip(
            page.setups, page.labels, page.assessments, strict=True
        )
    }
    contexts = [_context(group, assessed) for group in _by_setups(tables)]
    problems = held.store.problems
    contexts[-1]["problems"] = problems  # once, at the end
    folder = held.store.folder
    for name in ("report.md", "report.tex"):
        text = "\n".join(render(name, **context) for context in contexts)
        write_atomically(folder / name, text)
    text = render(
        "report.html",
        page=page,
        problems=[*problems, *page.problems],
        reproduce=[command for context in contexts for command in context["reproduce"]],
        failures=dict(x for context in contexts for x in context["failures"].items()),
        origin=origin,
        **_origins(page.trials),
    )
    write_atomically(folder / "report.html", text)
    write_atomically(folder / "results.csv", csv_rows.text(held.store.trials()))


def _by_setups(tables):
    """Groups of tables with the same data sets and the same training."""
    groups = collections.defaultdict(list)
    for table in tables:
        groups[tuple(row.plan.setup for row in table.rows)].append(table)
    return list(groups.values())


def _context(tables, assessed):
    """The variables of the text templates, for tables with the same training."""
    trials = {trial["id"]: trial for table in tables for trial in table.trials()}
    return {
        "tables": tables,
        "training": tables[0].training,
        "assessments": [assessed[row.plan.setup] for row in tables[0].rows],
        "trials": list(trials.values()),
        "problems": (),
        "legends": list(dict.fromkeys(map(legend, tables))),
        "reproduce": [reproduce([row.plan for table in tables for row in table.rows])],
        "failures": dict(failure for table in tables for failure in table.failures()),
        **_origins(trials.values()),
    }


def _origins(trials):
    """The commands and the machines behind trials."""
    return {
        "commands": sorted({trial["command"] for trial in trials}),
        "environments": _environments(trials),
    }


def _environments(trials):
    """The number of trials by machine and versions."""
    counts = collections.Counter()
    for trial in trials:
        machine, versions = trial["machine"], trial["versions"]
        accelerator = machine.get("accelerator")  # not in the oldest trials
        text = (
            (f"{accelerator}, " if accelerator else "")
            + f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; "
            + ", ".join(f"{name} {version}" for name, version in versions.items())
            + f"; {_threads(machine)}"
        )
        counts[text] += 1
    return counts


def _threads(machine):
    """Number of threads, and whether runs are deterministic."""
    threads, deterministic = map(machine.get, ("threads", "deterministic"))
    words = "threads not recorded" if threads is None else counted(threads, "thread")
    if deterministic is None:
        return words
    return f"{words}, {'' if deterministic else 'not '}deterministic"
