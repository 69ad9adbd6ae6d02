"""What a command would run, counted before anything starts."""

import dataclasses
from collections.abc import Sequence

from keras_asymbp.benchmarks.results.store import Store, trial_id
from keras_asymbp.benchmarks.run import costs
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.plan import Plan


@dataclasses.dataclass(frozen=True)
class Amount:
    """What there is to do on a data set.

    Attributes:
        dataset: Its name.
        cells: Models times seeds; a model that stands in several tables counts once.
        trials: Their training runs.
        stored: How many of these are in the results folder.
        seconds: What the others take on one core, as `costs` has it; None if unknown.
    """

    dataset: str
    cells: int
    trials: int
    stored: int
    seconds: float | None

    def __str__(self) -> str:
        return (
            f"{self.dataset}: {self.cells} cells, {self.trials} trials, {self.stored} "
            f"stored, {self.trials - self.stored} to run: {duration(self.seconds)}"
        )


def amounts(plans: Sequence[Plan], store: Store | None) -> list[Amount]:
    """Counts what plans need, a data set at a time.

    Args:
        plans: What is to be run.
        store: The results; None if there are none yet.
    """
    cells: dict[str, dict[Cell, None]] = {}
    for plan in plans:
        for cell in plan.cells():
            cells.setdefault(cell.dataset.name, {})[cell] = None
    return [_amount(name, list(some), store) for name, some in cells.items()]


def unfinished(plans: Sequence[Plan], store: Store | None) -> int:
    """Counts the cells of which a trial is missing in the store."""
    cells = {cell for plan in plans for cell in plan.cells()}
    return sum(
        any(_is_missing(cell, trial, store) for trial in cell.trials())
        for cell in cells
    )


def _is_missing(cell, trial, store):
    return store is None or store.get(cell.settings(trial)) is None


def _amount(name, cells, store):
    # By what they do: Table 5 calls some models by other names.
    models, work = set(), {}
    for cell in cells:
        ids = [trial_id(cell.settings(trial)) for trial in cell.trials()]
        models.add(tuple(ids))
        for number, trial in zip(ids, cell.trials(), strict=True):
            work.setdefault(number, (cell, trial))
    missing = [some for some in work.values() if _is_missing(*some, store)]
    return Amount(
        dataset=name,
        cells=len(models),
        trials=len(work),
        stored=len(work) - len(missing),
        seconds=costs.seconds(missing),
    )


def describe(amounts: Sequence[Amount], processes: int) -> str:
    """The counts and the time as lines to print, with their sum.

    Args:
        amounts: What there is to do.
        processes: How many train at once, a core each.
    """
    lines = list(map(str, amounts))
    known = [a.seconds for a in amounts if a.seconds is not None]
    unknown = [a.dataset for a in amounts if a.seconds is None]
    to_run = sum(a.trials - a.stored for a in amounts)
    takes = duration(None)
    if known:
        takes = (
            f"{duration(sum(known) / processes)} with {processes} at once, on cores "
            "like the one that was measured"
            + (f", without {', '.join(unknown)}" if unknown else "")
        )
    lines.append(
        f"in all {sum(a.cells for a in amounts)} cells, "
        f"{sum(a.trials for a in amounts)} trials, {to_run} to run: {takes}"
    )
    return "\n".join(lines)


def duration(seconds: float | None) -> str:
    """A time in the unit that fits.

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
