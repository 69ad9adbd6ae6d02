"""The rows that a network is described by: data, without a tensor library."""

import dataclasses
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True)
class Conv:
    """A convolution of `filters` kernels of size x size: "Conv 5x5x20/1"."""

    filters: int
    size: int
    stride: int = 1


@dataclasses.dataclass(frozen=True)
class Pool:
    """Max or average pooling over size x size: "Max-Pool 2x2/2"."""

    kind: str
    size: int
    stride: int = 2


@dataclasses.dataclass(frozen=True)
class FC:
    """A fully connected layer; `units` may be a function of the number of classes."""

    units: int | Callable[[int], int]


@dataclasses.dataclass(frozen=True)
class Pad:
    """Zero padding of `size` pixels on each side."""

    size: int


@dataclasses.dataclass(frozen=True)
class Residual:
    """Two 3x3 convolutions, the first with a stride, and a shortcut around them.

    A shortcut that changes the shape is a 1x1 convolution (`projection`, option B of
    He et al.), or subsamples pixels and pads channels with zeros, half of them on each
    side (option A, without parameters).
    """

    filters: int
    stride: int = 1
    projection: bool = False


@dataclasses.dataclass(frozen=True)
class GlobalPool:
    """Global average pooling."""


@dataclasses.dataclass(frozen=True)
class Dropout:
    """Dropout with probability `rate`."""

    rate: float


@dataclasses.dataclass(frozen=True)
class Network:
    """A network, such as a column of Table 1.

    Attributes:
        input_shape: Shape of one input.
        layers: The hidden layers, bottom first: rows of this file, or one `Application`
            or `Transformer`. The output layer, with one unit per class, is implied.
        padding: Padding of convolutions and pooling layers, as in Keras.
        conv_bias: Whether convolutions have biases.
        normalization: The network's own normalization, used where the model has none.
        family: Name of its family in the depth study, if any.
        depth: Number of layers with weights, for members of a family.
    """

    input_shape: tuple[int, ...]
    layers: tuple[Any, ...]
    padding: str = "valid"
    conv_bias: bool = True
    normalization: str | None = None
    family: str | None = None
    depth: int | None = None

    @property
    def name(self) -> str | None:
        """The name of a member of a family; None of others."""
        return self.family and f"{self.family}-{self.depth}"
