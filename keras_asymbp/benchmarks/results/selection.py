"""What the choice of epoch and rate on the test split is worth.

The paper reports the lowest test error over all epochs of all rates. With held-out
examples these choose both; the same trials then give both figures.
"""

import dataclasses
import statistics
from collections.abc import Sequence

from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import finished
from keras_asymbp.benchmarks.tables.plan import Plan


@dataclasses.dataclass(frozen=True)
class Selection:
    """A model's error by both choices, means over its complete seeds.

    Attributes:
        model: The model.
        held_out: The test error in percent at the epoch and rate chosen on held-out
            examples.
        lowest: The lowest test error in percent over all epochs of all rates.
    """

    model: str
    held_out: float
    lowest: float

    @property
    def gain(self) -> float:
        """What the choice on the test split gains, in points; 0 or more."""
        return self.held_out - self.lowest


def selections(plans: Sequence[Plan], store: Store) -> list[Selection]:
    """Both errors of each complete model of plans that hold out examples.

    Args:
        plans: Plans of one setup; tables that share a model share its figures.
        store: The store.
    """
    found: dict[tuple[str, ...], Selection] = {}
    for plan in plans:
        if not plan.setup.protocol.validation_share:
            continue
        for column in plan.columns:
            cells = [
                trials
                for cell in plan.setup.cells(column)
                for trials in [finished(cell, store)]
                if len(trials) == len(cell.trials())
            ]
            if cells:
                ids = tuple(trial["id"] for trials in cells for trial in trials)
                found.setdefault(ids, _selection(column.name, cells))
    return [*found.values()]


def mean_gain(chosen: Sequence[Selection]) -> float:
    """The mean gain over models, in points."""
    return statistics.fmean(selection.gain for selection in chosen)


def _selection(model, cells):
    return Selection(
        model,
        100 * statistics.fmean(trials[0]["result"]["best_error"] for trials in cells),
        100 * statistics.fmean(min(map(_lowest, trials)) for trials in cells),
    )


def _lowest(trial):
    """The lowest test error of a trial; of guessing if it finished no epoch."""
    result = trial["result"]
    errors = (row["test_error"] for row in result["curves"])
    return min(errors, default=result["best_error"])
