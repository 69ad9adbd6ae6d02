"""Reports: in the terminal, and as Markdown, LaTeX, HTML and CSV in the folder."""

import collections
import pathlib
import re
from collections.abc import Mapping, Sequence

import jinja2
import rich.console
import rich.measure
import rich.table
import rich.text

from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.reports import latex, rows
from keras_asymbp.benchmarks.reports import page as pages
from keras_asymbp.benchmarks.results import claims
from keras_asymbp.benchmarks.results.atomic import write_atomically
from keras_asymbp.benchmarks.results.comparison import Comparison
from keras_asymbp.benchmarks.results.setups import Setup
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import Entry, Table
from keras_asymbp.benchmarks.tables.protocol import Protocol
from keras_asymbp.benchmarks.tables.reproduce import reproduce

# Marks carry a sign, so that colour is never alone.
_SIGNS = {"worse": "▲", "better": "▼", None: ""}
_STYLES = {"worse": "yellow", "better": "bright_blue", None: ""}
_UNKNOWN = "?"
_VERDICTS = {claims.HOLDS: "green", claims.FAILS: "bold red", claims.UNKNOWN: "dim"}
Checked = Sequence[tuple[Setup | None, Sequence[claims.Finding]]]
LEGEND = (
    "▲ (yellow): worse than the baseline ({baseline}) by 3 points or more; "
    "▼ (blue): better by 3 points or more. "
    "±: standard deviation between seeds. ?: unknown."
)


def write(
    tables: Sequence[Table], folder: pathlib.Path, problems: Sequence[str]
) -> None:
    """Writes `report.md`, `report.tex`, `report.html` and `results.csv`.

    The first two are of the tables; the others of all that is in the folder at that
    time, while trials are still being added to it, too.

    Args:
        tables: The filled tables.
        folder: The results folder.
        problems: Lines about files in it that weren't used.
    """
    store = Store(folder)
    page = pages.build(tables, store)
    _write(_groups(tables), page, store, problems, "of the last command")


def write_all(store: Store, known: Mapping[str, Dataset]) -> pages.Page:
    """Writes the same files anew, each of all that is in a results folder.

    It may be a part of what a run that is still at work will put there: what is missing
    is shown as missing.

    Args:
        store: The results.
        known: Data sets by name; results on others are named as not used.

    Returns:
        What `report.html` shows.

    Raises:
        UsageError: If there is nothing to show.
        OSError: If a file can't be written.
    """
    tables = pages.tables(store, known)
    if not tables:
        raise UsageError(
            f"no finished trial in {store.folder} that a report can show: run an "
            "experiment first, or wait for the first trial of the one that runs"
        )
    page = pages.build(tables, store)
    _write(_groups(tables), page, store, store.problems, "on this page")
    return page


def _groups(tables):
    """Tables of the same data sets by the same protocol together."""
    groups = collections.defaultdict(list)
    for table in tables:
        plan = table.plan
        groups[plan.datasets, plan.protocol, plan.seeds].append(table)
    return list(groups.values())


def _write(groups, page, store, problems, whose):
    """Writes the files; a group is tables of the same data sets and protocol."""
    contexts = [_context(tables) for tables in groups]
    contexts[-1]["problems"] = problems  # once, at the end
    for name in ("report.md", "report.tex"):
        text = "\n".join(_render(name, **context) for context in contexts)
        write_atomically(store.folder / name, text)
    text = _render(
        "report.html",
        page=page,
        problems=[*problems, *page.problems],
        reproduce="\n".join(context["reproduce"] for context in contexts),
        failures=dict(x for context in contexts for x in context["failures"].items()),
        whose=whose,
        **_origins(page.trials),
    )
    write_atomically(store.folder / "report.html", text)
    write_atomically(store.folder / "results.csv", rows.text(store.trials()))


def _context(tables):
    """What the templates of text have of a group."""
    trials = {trial["id"]: trial for table in tables for trial in table.trials()}
    return {
        "tables": tables,
        "plan": tables[0].plan,
        "trials": list(trials.values()),
        "problems": (),
        "legends": list(dict.fromkeys(map(_legend, tables))),
        "reproduce": reproduce([table.plan for table in tables]),
        "failures": dict(failure for table in tables for failure in table.failures()),
        **_origins(trials.values()),
    }


def write_claims(checked: Checked, folder: pathlib.Path) -> None:
    """Writes `claims.md` into a results folder."""
    write_atomically(folder / "claims.md", _claims_text(checked))


def show_claims(checked: Checked, console: rich.console.Console) -> None:
    """Prints what became of each claim: a table, or Markdown where it is piped."""
    if not console.is_terminal:
        text = _claims_text(checked)
        return console.print(text, markup=False, highlight=False, soft_wrap=True)
    for setup, findings in checked:
        title = f"{setup.dataset.name}, {setup.preset}" if setup else "no results"
        grid = rich.table.Table(title=rich.text.Text(title), show_lines=True)
        for heading in ("", "claim", "verdict", "compared", "holds if", "the paper"):
            grid.add_column(heading)
        for finding in findings:
            claim = finding.claim
            grid.add_row(
                claim.name,
                claim.statement,
                _verdict(finding),
                "\n".join(
                    f"{model} {finding.errors[model]:.2f}"
                    if model in finding.errors
                    else f"{model} {_UNKNOWN}"
                    for model in claim.models
                ),
                claim.test,
                f"{finding.papers[0]} of {finding.papers[1]}",
            )
        console.print(grid)


def _verdict(finding):
    seeds = f"\nseeds {', '.join(map(str, finding.seeds))}" if finding.seeds else ""
    return rich.text.Text(finding.verdict + seeds, style=_VERDICTS[finding.verdict])


def _claims_text(checked):
    return _render("claims.md", checked=checked)


def show(table: Table, console: rich.console.Console) -> None:
    """Prints the table: as the paper does where it fits, else a line for each model."""
    grid = _as_printed(table)
    unlimited = console.options.update_width(10_000)
    if rich.measure.Measurement.get(console, unlimited, grid).maximum > console.width:
        grid = _a_line_each(table)
    console.print(grid)
    console.print(_legend(table), markup=False, highlight=False)


def show_plain(table: Table, console: rich.console.Console) -> None:
    """Prints the table as Markdown, for output that is no terminal."""
    text = _render("table.md", table=table)
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    console.print(_legend(table), markup=False, highlight=False, soft_wrap=True)


def changes(protocol: Protocol) -> str:
    """What isn't as the paper has it on request, as the end of a sentence."""
    parts = [
        f"{count:,} {kind} examples"
        for kind, count in (
            ("training", protocol.train_examples),
            ("test", protocol.test_examples),
        )
        if count
    ]
    if protocol.architecture:
        parts.append(f"the network '{protocol.architecture}'")
    if protocol.augmentation:
        parts.append(f"{protocol.augmentation} augmentation")
    return "".join(f", {part}" for part in parts)


def ours(entry: Entry) -> str:
    """Our error, sign, spread between seeds, what is missing; or what failed."""
    if entry.failures:
        return f"failed: {'; '.join(dict.fromkeys(entry.failures.values()))}"
    done, expected = len(entry.trials), entry.expected
    missing = f"({done} of {expected} trials)" if done < expected else ""
    if entry.error is None:
        return missing if done else "not run"
    text = f"{entry.error:.2f}{_SIGNS[entry.mark]}"
    if entry.spread is not None:
        text += f" ±{entry.spread:.2f}"
    return f"{text} {missing}".rstrip()


def interval(comparison: Comparison) -> str:
    """The 95 % interval of a difference, in points."""
    if comparison.low is None:
        return "the same in each seed"
    return f"{comparison.low:+.2f} to {comparison.high:+.2f}"


def paper(entry: Entry) -> str:
    """The paper's figure and sign."""
    if entry.paper is None:
        return _UNKNOWN
    return f"{entry.paper:.2f}{_SIGNS[entry.paper_mark]}"


def _as_printed(table):
    grid = _grid(table)
    grid.add_column("")
    for column in table.plan.columns:
        grid.add_column(column.name.replace(" ", "\n"), justify="right")
    for dataset, entries in table.rows:
        grid.add_row(dataset.name, *(_styled(ours(e), e.mark) for e in entries))
        grid.add_row(
            rich.text.Text(table.plan.printed(dataset), style="italic"),
            *(_styled(paper(e), e.paper_mark) for e in entries),
            end_section=True,
        )
    return grid


def _a_line_each(table):
    grid = _grid(table)
    grid.add_column("")
    for dataset, _ in table.rows:
        grid.add_column(dataset.name, justify="right")
        grid.add_column(table.plan.printed(dataset), justify="right", style="italic")
    for number, column in enumerate(table.plan.columns):
        cells = []
        for _, entries in table.rows:
            entry = entries[number]
            cells += [
                _styled(ours(entry), entry.mark),
                _styled(paper(entry), entry.paper_mark),
            ]
        grid.add_row(column.name, *cells)
    return grid


def _grid(table):
    experiment = table.plan.experiment
    return rich.table.Table(
        title=f"Experiment {experiment.name} ({experiment.table}): error, %"
    )


def _styled(text, mark):
    return rich.text.Text(text, style=_STYLES[mark])


def _legend(table):
    return LEGEND.format(baseline=table.plan.experiment.baseline)


def _origins(trials):
    """What made the trials, and on what."""
    return {
        "commands": sorted({trial["command"] for trial in trials}),
        "environments": _environments(trials),
    }


def _environments(trials):
    """The machines and versions behind the figures, each once, with their trials."""
    counts = collections.Counter()
    for trial in trials:
        machine, versions = trial["machine"], trial["versions"]
        text = (
            f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; "
            + ", ".join(f"{name} {version}" for name, version in versions.items())
            + f"; {_threads(machine)}"
        )
        counts[text] += 1
    return counts


def _threads(machine):
    """On how many threads, and whether the figures are the same each time."""
    if "threads" not in machine:
        return "threads not recorded"
    count = machine["threads"]
    deterministic = "" if machine["deterministic"] else "not "
    return f"{count} thread{'s' if count > 1 else ''}, {deterministic}deterministic"


def _render(name, **context):
    return _TEMPLATES.get_template(f"{name}.jinja").render(context)


_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(pathlib.Path(__file__).with_name("templates")),
    autoescape=lambda name: "html" in (name or ""),
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
_TEMPLATES.filters.update(
    interval=interval,
    changes=changes,
    ours=ours,
    paper=paper,
    comment=lambda text: " ".join(str(text).split()),
    tex=latex.escape,
    # One line of plain text in Markdown: no cell ends in it, no HTML or link begins.
    plain=lambda text: re.sub(r"([\\`*<>|\[\]])", r"\\\1", " ".join(str(text).split())),
)
_TEMPLATES.globals.update(
    static=pages.static,
    csp_hash=pages.csp_hash,
    zip=zip,
    HOLDS=claims.HOLDS,
    UNKNOWN=claims.UNKNOWN,
)
_TEMPLATES.policies["json.dumps_kwargs"] = {
    "separators": (",", ":"),
    "ensure_ascii": False,
    "allow_nan": False,
}
