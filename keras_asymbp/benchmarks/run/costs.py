"""The cost of a plan: the sum of costs that were measured once, on one machine."""

import dataclasses
from collections.abc import Iterable

from keras_asymbp.benchmarks import networks
from keras_asymbp.benchmarks.tables.cells import Cell, TrialSpec

# Number of examples of a cost.
_BATCH = 100


@dataclasses.dataclass(frozen=True)
class Cost:
    """Seconds of a network on one core.

    Attributes:
        update: For an update by a batch of 100.
        forward: For a forward pass of 100 examples, as in evaluation.
    """

    update: float
    forward: float


# By network, and whether it has batch normalization. Measured by
# `benchmarks/cell_cost.py` on one core of an AMD EPYC, TensorFlow 2.21 with oneDNN.
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
# Seconds to build and trace a model, once for all cells that share it.
START = 3.0


def trial_seconds(cell: Cell, trial: TrialSpec) -> float | None:
    """Seconds of a trial on one core of the measured machine.

    None if unknown: for a data set of unknown size, or a network that was not
    measured. A trial that diverges takes less.
    """
    # A network's own batch normalization, where the model has none, costs the same.
    own = networks.get(cell.network).normalization
    normalized = bool(cell.column.normalization or own)
    cost = COSTS.get((cell.network, normalized))
    if cost is None or cell.dataset.counts is None:
        return None
    protocol = cell.protocol
    train, test = (
        limit or count
        for limit, count in zip(
            (protocol.train_examples, protocol.test_examples),
            cell.dataset.counts,
            strict=True,
        )
    )
    held_out = protocol.validation_share * train
    forward = (test + held_out) / _BATCH
    if normalized:
        forward += protocol.statistics_batches * protocol.batch_size / _BATCH
    # A larger batch means fewer updates by more examples each, at the same cost.
    return protocol.epochs * (
        (train - held_out) / _BATCH * cost.update + forward * cost.forward
    )


def seconds(work: Iterable[tuple[Cell, TrialSpec]]) -> float | None:
    """Seconds of trials in sequence on one core, or None if unknown."""
    total, models = 0.0, set()
    for cell, trial in work:
        cost = trial_seconds(cell, trial)
        if cost is None:
            return None
        total += cost
        models.add((cell.dataset.name, cell.network, cell.column))
    return total + START * len(models)
