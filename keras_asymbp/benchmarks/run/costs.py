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
    ("large", False): Cost(update=0.3753, forward=0.1137),
    ("large", True): Cost(update=0.6511, forward=0.1284),
    ("mnist", False): Cost(update=0.0134, forward=0.0042),
    ("mnist", True): Cost(update=0.0225, forward=0.0055),
    ("cifar", False): Cost(update=0.0562, forward=0.0176),
    ("cifar", True): Cost(update=0.1026, forward=0.0195),
    ("svhn", False): Cost(update=0.1388, forward=0.0356),
    ("svhn", True): Cost(update=0.2093, forward=0.0382),
    ("timit", False): Cost(update=0.0050, forward=0.0014),
    ("timit", True): Cost(update=0.0057, forward=0.0014),
    ("plain-2", False): Cost(update=0.0010, forward=0.0003),
    ("plain-2", True): Cost(update=0.0015, forward=0.0005),
    ("plain-4", False): Cost(update=0.0024, forward=0.0007),
    ("plain-4", True): Cost(update=0.0038, forward=0.0008),
    ("plain-8", False): Cost(update=0.0049, forward=0.0014),
    ("plain-8", True): Cost(update=0.0083, forward=0.0018),
    ("plain-14", False): Cost(update=0.0083, forward=0.0022),
    ("plain-14", True): Cost(update=0.0147, forward=0.0033),
    ("plain-20", False): Cost(update=0.0117, forward=0.0034),
    ("plain-20", True): Cost(update=0.0198, forward=0.0043),
    ("residual-4", False): Cost(update=0.0026, forward=0.0009),
    ("residual-4", True): Cost(update=0.0044, forward=0.0011),
    ("residual-8", False): Cost(update=0.0057, forward=0.0013),
    ("residual-8", True): Cost(update=0.0090, forward=0.0015),
    ("residual-14", False): Cost(update=0.0102, forward=0.0024),
    ("residual-14", True): Cost(update=0.0159, forward=0.0027),
    ("residual-20", False): Cost(update=0.0135, forward=0.0033),
    ("residual-20", True): Cost(update=0.0231, forward=0.0050),
    ("lenet-mnist", False): Cost(update=0.0074, forward=0.0022),
    ("lenet-mnist", True): Cost(update=0.0141, forward=0.0030),
    ("lenet-cifar", False): Cost(update=0.0227, forward=0.0071),
    ("lenet-cifar", True): Cost(update=0.0443, forward=0.0093),
    ("resnet-20", True): Cost(update=0.3754, forward=0.0837),
    ("transformer", False): Cost(update=0.0251, forward=0.0071),
}
# Seconds to build and trace a model, once for all cells that share it.
START = 3.0


def trial_seconds(cell: Cell) -> float | None:
    """Seconds of each trial of a cell, on one core of the measured machine.

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
    for cell, _ in work:
        cost = trial_seconds(cell)
        if cost is None:
            return None
        total += cost
        models.add((cell.dataset.name, cell.network, cell.column))
    return total + START * len(models)
