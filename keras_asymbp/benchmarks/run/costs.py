"""What a run costs: measured once on one machine, added up for any plan."""

import dataclasses
from collections.abc import Iterable

from keras_asymbp.benchmarks import networks
from keras_asymbp.benchmarks.tables.cells import Cell, TrialSpec

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


# By architecture, and whether there is batch normalization: on one core of an AMD EPYC,
# TensorFlow 2.21 with oneDNN, by `benchmarks/cell_cost.py`.
COSTS: dict[tuple[str, bool], Cost] = {
    ("large", False): Cost(update=0.7440, forward=0.2460),
    ("large", True): Cost(update=1.2647, forward=0.2611),
    ("mnist", False): Cost(update=0.0219, forward=0.0063),
    ("mnist", True): Cost(update=0.0438, forward=0.0108),
    ("cifar", False): Cost(update=0.1169, forward=0.0360),
    ("cifar", True): Cost(update=0.2243, forward=0.0469),
    ("svhn", False): Cost(update=0.2525, forward=0.0668),
    ("svhn", True): Cost(update=0.3891, forward=0.0730),
    ("timit", False): Cost(update=0.0081, forward=0.0023),
    ("timit", True): Cost(update=0.0199, forward=0.0029),
}
# Building and tracing a model, once for all cells that share it.
START = 3.0


def trial_seconds(cell: Cell, trial: TrialSpec) -> float | None:
    """Seconds that a trial takes on one core of the machine measured on.

    None where it isn't known: for a data set whose size is not known, or a network
    that was not measured. A run that diverges takes less.
    """
    # A network's own batch normalization, where the model has none, takes as long.
    own = networks.get(cell.network).normalization
    normalized = bool(cell.column.normalization or own)
    cost = COSTS.get((cell.network, normalized))
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
    held_out = protocol.validation_share * train
    forward = (test + held_out) / _BATCH
    if normalized:
        forward += protocol.statistics_batches * protocol.batch_size / _BATCH
    # A larger batch is fewer updates of as many examples.
    return protocol.epochs * (
        (train - held_out) / _BATCH * cost.update + forward * cost.forward
    )


def seconds(work: Iterable[tuple[Cell, TrialSpec]]) -> float | None:
    """Seconds that trials take one after another on one core, or None if unknown."""
    total, models = 0.0, set()
    for cell, trial in work:
        trial_takes = trial_seconds(cell, trial)
        if trial_takes is None:
            return None
        total += trial_takes
        models.add((cell.dataset.name, cell.network, cell.column))
    return total + START * len(models)
