"""What a run costs: measured once on one machine, added up for any plan."""

import dataclasses
from collections.abc import Iterable

from keras_asymbp.benchmarks.cells import Cell, TrialSpec

# Examples that a cost is of.
_BATCH = 100


@dataclasses.dataclass(frozen=True)
class Cost:
    """Seconds that a network takes, on one core.

    Attributes:
        update: An update by a batch of 100.
        forward: 100 examples forward, as in evaluation.
    """

    update: float
    forward: float


# By architecture, and whether there is batch normalization: on one core, TensorFlow
# 2.21 with oneDNN. "mnist" (AMD EPYC) and "cifar" (Intel Xeon) are medians of the
# recorded sweeps, which had another one beside them, with a forward pass taken as a
# third of an update; "large" (AMD EPYC) was measured by `benchmarks/cell_cost.py`.
# "svhn" and "timit" have not been measured yet.
COSTS: dict[tuple[str, bool], Cost] = {
    ("mnist", False): Cost(update=0.0248, forward=0.0083),
    ("mnist", True): Cost(update=0.0393, forward=0.0131),
    ("cifar", False): Cost(update=0.1288, forward=0.0429),
    ("cifar", True): Cost(update=0.2461, forward=0.0820),
    ("large", False): Cost(update=0.7288, forward=0.2425),
    ("large", True): Cost(update=2.0384, forward=0.7555),
}
# Building and tracing a model, once for all cells that share it.
START = 3.0


def trial_seconds(cell: Cell, trial: TrialSpec) -> float | None:
    """Seconds that a trial takes on one core of the machine measured on.

    None where it isn't known: for a network or a data set that was not measured, or
    whose size is not known. A run that diverges takes less.
    """
    cost = COSTS.get((cell.architecture, cell.column.normalization is not None))
    if cost is None or cell.dataset.counts is None:
        return None
    protocol = cell.protocol
    train, test = (
        wanted or have
        for wanted, have in zip(
            (protocol.train_examples, protocol.test_examples),
            cell.dataset.counts,
            strict=True,
        )
    )
    forward = test / _BATCH
    if cell.column.normalization:
        forward += protocol.statistics_batches * protocol.batch_size / _BATCH
    # A larger batch is fewer updates of as many examples.
    return protocol.epochs * (train / _BATCH * cost.update + forward * cost.forward)


def seconds(work: Iterable[tuple[Cell, TrialSpec]]) -> float | None:
    """Seconds that trials take one after another on one core, or None if unknown."""
    total, models = 0.0, set()
    for cell, trial in work:
        trial_takes = trial_seconds(cell, trial)
        if trial_takes is None:
            return None
        total += trial_takes
        models.add((cell.dataset.name, cell.column))
    return total + START * len(models)
