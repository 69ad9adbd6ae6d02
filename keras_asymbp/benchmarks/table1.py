"""The networks of Table 1 as data."""

import dataclasses
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True)
class Conv:
    """`filters` feature maps of size x size, with a stride: "Conv 5x5x20/1"."""

    filters: int
    size: int
    stride: int = 1


@dataclasses.dataclass(frozen=True)
class Pool:
    """Max or average pooling of size x size, with a stride: "Max-Pool 2x2/2"."""

    kind: str
    size: int
    stride: int = 2


@dataclasses.dataclass(frozen=True)
class FC:
    """A fully connected layer; its units may depend on the number of classes."""

    units: int | Callable[[int], int]


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A column of Table 1, or another network.

    Attributes:
        input_shape: Shape of one input.
        layers: The hidden layers, bottom first: rows of this file, and of `networks`.
            The last layer, one unit a class, is understood.
        padding: Of convolutions and pooling layers, as Keras has it.
        conv_bias: Whether convolutions have biases.
        normalization: The network's own, where the model has none: it is part of it.
    """

    input_shape: tuple[int, ...]
    layers: tuple[Any, ...]
    padding: str = "valid"
    conv_bias: bool = True
    normalization: str | None = None


ARCHITECTURES = {
    "large": Architecture(  # "All others"
        (119, 119, 3),
        (
            Conv(48, 9, stride=2),
            Pool("max", 2),
            Conv(128, 5),
            Pool("max", 2),
            FC(lambda classes: max(256, 3 * classes)),
            FC(lambda classes: 2 * classes),
        ),
    ),
    "mnist": Architecture(
        (28, 28, 1),
        (Conv(20, 5), Pool("max", 2), Conv(50, 5), Pool("max", 2), FC(500)),
    ),
    "cifar": Architecture(
        (32, 32, 3),
        (
            Conv(32, 5),
            Pool("max", 3),
            Conv(64, 5),
            Pool("average", 3),
            Conv(64, 5),
            Pool("average", 3),
            FC(128),
        ),
        # Two pixels around a 5x5 convolution and one at the right and bottom of a
        # 3x3/2 pooling of an even size: what "same" means for these.
        padding="same",
    ),
    "svhn": Architecture(
        (32, 32, 3),
        (Conv(20, 5), Pool("max", 2), Conv(512, 7), Pool("max", 2), FC(40)),
    ),
    "timit": Architecture((1845,), (FC(512), FC(256))),
}
