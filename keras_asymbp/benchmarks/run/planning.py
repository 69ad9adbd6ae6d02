"""Counts the work of a command before anything starts."""

import dataclasses
from collections.abc import Sequence

from keras_asymbp.benchmarks.counting import counted
from keras_asymbp.benchmarks.escaping.printable import one_line
from keras_asymbp.benchmarks.results.store import Store, trial_id
from keras_asymbp.benchmarks.run import costs
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.plan import Plan


@dataclasses.dataclass(frozen=True)
class Workload:
    """The work on a data set.

    Attributes:
        dataset: The data set's name.
        cells: Number of models times seeds; a model of several tables counts once.
        trials: Number of their training runs.
        stored: Number of trials in the results folder.
        seconds: Estimate for the missing trials on one core; None if unknown.
    """

    dataset: str
    cells: int
    trials: int
    stored: int
    seconds: float | None

    def __str__(self) -> str:
        return (
            f"{self.dataset}: {counted(self.cells, 'cell')}, "
            f"{counted(self.trials, 'trial')}, {self.stored} stored, "
            f"{self.trials - self.stored} to run: {duration(self.seconds)}"
        )


def workloads(plans: Sequence[Plan], store: Store | None) -> list[Workload]:
    """Counts the work of plans, by data set.

    Args:
        plans: The plans.
        store: The results; None if there are none yet.
    """
    by_dataset: dict[str, dict[Cell, None]] = {}
    for plan in plans:
        for cell in plan.cells():
            by_dataset.setdefault(cell.dataset.name, {})[cell] = None
    return [_workload(name, cells, store) for name, cells in by_dataset.items()]


def unfinished(plans: Sequence[Plan], store: Store | None) -> int:
    """Counts the cells with trials that are missing in the store.

    Models that are the same runs count once, as in a `Workload`.
    """
    cells = {_ids(cell): cell for plan in plans for cell in plan.cells()}
    return sum(
        any(_is_missing(cell, trial, store) for trial in cell.trials())
        for cell in cells.values()
    )


def _ids(cell):
    """The ids of a cell's trials: Table 5 has other names for some models."""
    return tuple(trial_id(cell.settings(trial)) for trial in cell.trials())


def _is_missing(cell, trial, store):
    return store is None or store.get(cell.settings(trial)) is None


def _workload(name, cells, store):
    models, trials = set(), {}
    for cell in cells:
        ids = _ids(cell)
        models.add(ids)
        for number, trial in zip(ids, cell.trials(), strict=True):
            trials.setdefault(number, (cell, trial))
    missing = [
        (cell, trial)
        for cell, trial in trials.values()
        if _is_missing(cell, trial, store)
    ]
    return Workload(
        dataset=name,
        cells=len(models),
        trials=len(trials),
        stored=len(trials) - len(missing),
        seconds=costs.seconds(missing),
    )


def describe(workloads: Sequence[Workload], processes: int) -> str:
    """A line for each data set, and one for the total.

    Args:
        workloads: The work, by data set.
        processes: Number of processes that train, on one core each.
    """
    lines = list(map(one_line, workloads))
    known = [work.seconds for work in workloads if work.seconds is not None]
    unknown = [work.dataset for work in workloads if work.seconds is None]
    to_run = sum(work.trials - work.stored for work in workloads)
    time = duration(None)
    if known:
        time = (
            f"{duration(sum(known) / processes)} with "
            f"{counted(processes, 'process', 'processes')}, on cores like the measured "
            "one" + (f", without {one_line(', '.join(unknown))}" if unknown else "")
        )
    lines.append(
        f"total: {counted(sum(work.cells for work in workloads), 'cell')}, "
        f"{counted(sum(work.trials for work in workloads), 'trial')}, {to_run} to run: "
        f"{time}"
    )
    return "\n".join(lines)


def duration(seconds: float | None) -> str:
    """A time in a suitable unit.

    >>> duration(40), duration(3000), duration(40000), duration(900000), duration(None)
    ('40 s', '50 min', '11.1 h', '10.4 days', 'time unknown')
    """
    if seconds is None:
        return "time unknown"
    for unit, length, most in (("s", 1, 100), ("min", 60, 100), ("h", 3600, 48)):
        if seconds < most * length:
            number = seconds / length
            return f"{number:.1f} {unit}" if unit == "h" else f"{number:.0f} {unit}"
    return f"{seconds / 86400:.1f} days"
