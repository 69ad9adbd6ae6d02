"""A table of the paper, filled from the store."""

import dataclasses
import functools
import statistics
from collections.abc import Mapping
from typing import Any

from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.results.comparison import (
    Comparison,
    compare,
)
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables import printed
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.plan import Plan
from keras_asymbp.benchmarks.tables.protocol import score

# "Performances worse (better) than baseline by 3 % or more": points of error.
_THRESHOLD = 3.0


@dataclasses.dataclass(frozen=True)
class Entry:
    """One figure of the table.

    Attributes:
        errors: Our error in percent by seed, for each that is complete: the best epoch
            of the best trial.
        paper: The paper's error in percent, or None.
        mark: "worse" or "better" than our baseline by 3 points or more, or None.
        paper_mark: The same among the paper's figures.
        trials: Every stored trial, best first in each seed.
        expected: How many trials the entry needs.
        comparison: With our baseline, over the seeds that both have; None for less than
            two, and for the baseline.
        failures: Why a seed failed, for each that did.
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
        """Our error in percent, the mean of the seeds; None if none is complete.

        None, too, if a seed failed: a mean of the others is not what was asked for.
        """
        if not self.errors or self.failures:
            return None
        return statistics.fmean(self.errors.values())

    @property
    def spread(self) -> float | None:
        """The standard deviation between seeds, in points; None for less than two."""
        if len(self.errors) < 2:
            return None
        return statistics.stdev(self.errors.values())


@dataclasses.dataclass(frozen=True)
class Table:
    """An experiment's table: a row of entries for each data set."""

    plan: Plan
    rows: tuple[tuple[Dataset, tuple[Entry, ...]], ...]

    def failures(self) -> list[tuple[Cell, str]]:
        """The cells that failed, and why."""
        return [
            (self.plan.cell(dataset, version, column, seed), reason)
            for (dataset, version), (_, entries) in zip(
                self.plan.datasets, self.rows, strict=True
            )
            for column, entry in zip(self.plan.columns, entries, strict=True)
            for seed, reason in entry.failures.items()
        ]

    def trials(self) -> list[dict[str, Any]]:
        """All trials behind the figures."""
        return [t for _, entries in self.rows for e in entries for t in e.trials]


def fill(plan: Plan, store: Store, failures: Mapping[Cell, str] | None = None) -> Table:
    """Fills a plan's table with what is in the store.

    Args:
        plan: The plan.
        store: The store.
        failures: Cells that failed, and why.
    """
    rows = []
    entry = functools.partial(_entry, plan, store, failures or {})
    for dataset, version in plan.datasets:
        base = [c for c in plan.columns if c.name == plan.experiment.baseline]
        base_entry = entry(dataset, version, base[0]) if base else None
        entries = tuple(
            entry(dataset, version, column, base_entry) for column in plan.columns
        )
        rows.append((dataset, entries))
    return Table(plan, tuple(rows))


def finished(cell: Cell, store: Store) -> list[dict[str, Any]]:
    """The trials of a cell that are stored, best first."""
    stored = (store.get(cell.settings(trial)) for trial in cell.trials())
    return sorted(filter(None, stored), key=lambda trial: score(trial["result"]))


def cell_error(cell: Cell, store: Store) -> float | None:
    """A cell's error in percent, or None while a trial is missing."""
    trials = finished(cell, store)
    complete = len(trials) == len(cell.trials())
    return 100 * trials[0]["result"]["best_error"] if complete else None


def _entry(plan, store, failures, dataset, version, column, baseline=None):
    errors, failed, trials, expected = {}, {}, [], 0
    for seed in plan.seeds:
        cell = plan.cell(dataset, version, column, seed)
        stored = finished(cell, store)
        trials += stored
        expected += len(cell.trials())
        if (error := cell_error(cell, store)) is not None:
            errors[seed] = error
        elif cell in failures:
            failed[seed] = failures[cell]
    entry = Entry(
        errors=errors,
        paper=printed.error(
            plan.experiment.row(dataset, plan.protocol.network(dataset)), column.name
        ),
        mark=None,
        paper_mark=None,
        trials=tuple(trials),
        expected=expected,
        failures=failed,
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
    difference = round(error - baseline, 6)  # 3 points are 3 points in binary, too
    if difference >= _THRESHOLD:
        return "worse"
    return "better" if difference <= -_THRESHOLD else None
