"""Tables of the paper, filled from the store."""

import collections
import dataclasses
import functools
import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from keras_asymbp.benchmarks.results.comparison import Comparison, compare
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables.cells import Cell, common, model
from keras_asymbp.benchmarks.tables.experiments import Column, Experiment
from keras_asymbp.benchmarks.tables.plan import Plan, Setup
from keras_asymbp.benchmarks.tables.protocol import score

# "Performances worse (better) than baseline by 3 % or more": points of error.
_THRESHOLD = 3.0


@dataclasses.dataclass(frozen=True)
class Entry:
    """One figure of the table.

    Attributes:
        errors: Our error in percent by complete seed: the best epoch of the best trial.
        paper: The paper's error in percent, or None.
        mark: "worse" or "better" than our baseline by 3 points or more, or None.
        paper_mark: The same among the paper's figures.
        trials: All stored trials, by seed, best first.
        expected: Number of trials that the entry needs.
        comparison: Comparison with our baseline over their common seeds; None with
            fewer than two, and for the baseline.
        failures: The reason for each failed seed.
    """

    errors: dict[int, float]
    paper: float | None
    mark: str | None
    paper_mark: str | None
    trials: tuple[dict[str, Any], ...]
    expected: int
    comparison: Comparison | None = None
    failures: Mapping[int, str] = dataclasses.field(default_factory=dict)

    @property
    def error(self) -> float | None:
        """Our error in percent, the mean over seeds.

        None if no seed is complete or one failed: the mean of the other seeds would be
        a different quantity.
        """
        if not self.errors or self.failures:
            return None
        return statistics.fmean(self.errors.values())

    @property
    def spread(self) -> float | None:
        """The standard deviation between seeds, in points; None for fewer than two."""
        if len(self.errors) < 2:
            return None
        return statistics.stdev(self.errors.values())


@dataclasses.dataclass(frozen=True)
class Row:
    """A plan filled from the store: an entry for each of its columns."""

    plan: Plan
    entries: tuple[Entry, ...]

    def failures(self) -> list[tuple[Cell, str]]:
        """The failed cells with their reasons."""
        return [
            (cell, entry.failures[cell.seed])
            for column, entry in zip(self.plan.columns, self.entries, strict=True)
            for cell in self.plan.setup.cells(column)
            if cell.seed in entry.failures
        ]

    def trials(self) -> list[dict[str, Any]]:
        """All trials behind the entries."""
        return [trial for entry in self.entries for trial in entry.trials]


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of one experiment with the same training, one for each data set."""

    rows: tuple[Row, ...]

    @property
    def experiment(self) -> Experiment:
        return self.rows[0].plan.experiment

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.rows[0].plan.columns

    @property
    def training(self) -> Setup:
        """The first row's setup; the others differ only in the data set."""
        return self.rows[0].plan.setup

    def failures(self) -> list[tuple[Cell, str]]:
        """The failed cells with their reasons."""
        return [failure for row in self.rows for failure in row.failures()]

    def trials(self) -> list[dict[str, Any]]:
        """All trials behind the figures."""
        return [trial for row in self.rows for trial in row.trials()]


def group(rows: Iterable[Row]) -> list[Table]:
    """Puts the rows of one experiment with the same training into one table."""
    tables = collections.defaultdict(list)
    for row in rows:
        plan, setup = row.plan, row.plan.setup
        training = setup.regime, setup.preset, setup.seeds
        tables[plan.experiment, plan.columns, training].append(row)
    return [Table(tuple(rows)) for rows in tables.values()]


def fill(plan: Plan, store: Store, failures: Mapping[Cell, str] | None = None) -> Row:
    """Fills a plan from the store.

    Args:
        plan: The plan.
        store: The store.
        failures: Failed cells with their reasons.
    """
    entry = functools.partial(_entry, plan, store, failures or {})
    base = [c for c in plan.columns if c.name == plan.experiment.baseline]
    baseline = entry(base[0]) if base else None
    return Row(plan, tuple(entry(column, baseline) for column in plan.columns))


def finished(cell: Cell, store: Store) -> list[dict[str, Any]]:
    """The stored trials of a cell, best first."""
    of_setup = common(cell.dataset, cell.data_version, cell.protocol)
    runs = store.models(of_setup).get(model(cell.column, cell.protocol))
    return _finished(cell, runs)


def stored(setup: Setup, columns: Iterable[Column], store: Store) -> list[Column]:
    """Those of a setup's models of which any trial is stored."""
    models = store.models(setup.common)
    return [column for column in columns if model(column, setup.protocol) in models]


def _runs(setup, column, store):
    return store.models(setup.common).get(model(column, setup.protocol))


def _finished(cell, runs):
    if not runs:
        return []
    found = (runs.get(trial.run(cell.seed)) for trial in cell.trials())
    return sorted(filter(None, found), key=lambda trial: score(trial["result"]))


def errors(setup: Setup, column: Column, store: Store) -> dict[int, float]:
    """A model's error in percent by complete seed."""
    if not (runs := _runs(setup, column, store)):
        return {}
    found = {cell: _finished(cell, runs) for cell in setup.cells(column)}
    return _errors(found)


def _errors(trials):
    """The error in percent of each cell without a missing trial, by seed."""
    return {
        cell.seed: 100 * found[0]["result"]["best_error"]
        for cell, found in trials.items()
        if len(found) == len(cell.trials())
    }


def _entry(plan, store, failures, column, baseline=None):
    cells = plan.setup.cells(column)
    runs = _runs(plan.setup, column, store)
    trials = {cell: _finished(cell, runs) for cell in cells} if runs else {}
    complete = _errors(trials)
    entry = Entry(
        errors=complete,
        paper=plan.printed(column),
        mark=None,
        paper_mark=None,
        trials=tuple(trial for found in trials.values() for trial in found),
        expected=sum(len(cell.trials()) for cell in cells),
        failures={
            cell.seed: failures[cell]
            for cell in cells
            if cell in failures and cell.seed not in complete
        },
    )
    if baseline is None:
        return entry
    is_baseline = column.name == plan.experiment.baseline
    return dataclasses.replace(
        entry,
        mark=mark(entry.error, baseline.error),
        paper_mark=mark(entry.paper, baseline.paper),
        comparison=None if is_baseline else compare(entry.errors, baseline.errors),
    )


def mark(error: float | None, baseline: float | None) -> str | None:
    """The paper's colour rule: yellow is "worse", blue is "better".

    >>> mark(6.0, 3.0), mark(5.9, 3.0), mark(0.0, 3.0), mark(None, 3.0)
    ('worse', None, 'better', None)
    """
    if error is None or baseline is None:
        return None
    difference = round(error - baseline, 6)  # exactly 3 points, despite binary floats
    if difference >= _THRESHOLD:
        return "worse"
    return "better" if difference <= -_THRESHOLD else None
