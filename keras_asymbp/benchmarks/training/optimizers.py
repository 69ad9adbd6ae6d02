"""The optimizers of the suite: Batch Manhattan's settings, and Keras's by name."""

from collections.abc import Callable

import keras

from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.optimizers import BatchManhattan


def _lion(beta_1: float, beta_2: float, weight_decay: float):
    return keras.optimizers.Lion(
        beta_1=beta_1, beta_2=beta_2, weight_decay=weight_decay
    )


# By the name of `Column.optimizer`: from the protocol's momentum and the weight decay.
# All subtract rate x decay x weight, as setting 1 of Batch Manhattan does without
# momentum.
OPTIMIZERS: dict[str, Callable[[float, float], keras.optimizers.Optimizer]] = {
    # The sign of an average of gradients, which is Lion with equal betas. With one
    # worker, signSGD with majority vote is the same. Source: Bernstein et al. 2018.
    "Signum": lambda momentum, decay: _lion(momentum, momentum, decay),
    "Lion": lambda momentum, decay: _lion(0.9, 0.99, decay),
    "Adam": lambda momentum, decay: keras.optimizers.Adam(weight_decay=decay),
    # For matrices below the last layer; other weights are Adam's, as its source has it.
    "Muon": lambda momentum, decay: keras.optimizers.Muon(
        weight_decay=decay, adam_weight_decay=decay, exclude_layers=["logits"]
    ),
}


def make(cell: Cell) -> keras.optimizers.Optimizer:
    """The optimizer of a cell's model; the trainer sets the learning rate."""
    column, protocol = cell.column, cell.protocol
    if column.optimizer:
        optimizer = OPTIMIZERS[column.optimizer](protocol.momentum, cell.weight_decay)
    else:
        optimizer = BatchManhattan(
            momentum=protocol.momentum,
            weight_decay=cell.weight_decay,
            setting=column.setting,
        )
    if not protocol.bias_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer
