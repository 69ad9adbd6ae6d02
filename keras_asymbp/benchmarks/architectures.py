"""The networks of Table 1 as data, and the function that builds them."""

import dataclasses
from collections.abc import Callable

import keras

from keras_asymbp.benchmarks.errors import unknown
from keras_asymbp.layers import AsymConv2D, AsymDense
from keras_asymbp.normalization import BatchNormalization


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
    """A column of Table 1.

    Attributes:
        input_shape: Shape of one input.
        layers: The hidden layers, bottom first. The last layer, one unit a class, is
            understood.
        padding: Of convolutions and pooling layers, as Keras has it.
    """

    input_shape: tuple[int, ...]
    layers: tuple[Conv | Pool | FC, ...]
    padding: str = "valid"


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


def build(
    name: str,
    num_classes: int,
    feedback="BP",
    normalization: str | None = None,
    clamped: str | None = None,
    kernel_initializer="he_normal",
    normalization_per: str = "channel",
    normalization_alpha: float = 0.05,
) -> keras.Model:
    """Builds a network of Table 1 that ends in logits.

    Every convolution and fully connected layer but the last is followed by batch
    normalization, if any, and ReLU.

    Args:
        name: A key of `ARCHITECTURES`.
        num_classes: Units of the last layer.
        feedback: Name or config of the feedback rule; each layer gets its own.
        normalization: None, "BN" (no learnable parameters) or "BN learnable".
        clamped: None; "Bottom" freezes the last layer, "Top" all layers but the last.
        kernel_initializer: Keras initializer of all kernels; biases start at 0.
        normalization_per: "channel" or "element"; see `BatchNormalization`.
        normalization_alpha: The `alpha` of `BatchNormalization`.

    Raises:
        UsageError: If there is no such network.

    >>> build("mnist", 10, feedback="uSF").count_params()
    431080
    """
    if name not in ARCHITECTURES:
        raise unknown("architecture", name, ARCHITECTURES)
    architecture = ARCHITECTURES[name]
    shared = {
        "feedback": feedback,
        "kernel_initializer": kernel_initializer,
        "trainable": clamped != "Top",
    }
    model = keras.Sequential([keras.Input(architecture.input_shape)], name=name)

    def activate():
        if normalization:
            model.add(
                BatchNormalization(
                    learnable=normalization == "BN learnable",
                    per=normalization_per,
                    alpha=normalization_alpha,
                    trainable=shared["trainable"],
                )
            )
        model.add(keras.layers.ReLU())

    for layer in architecture.layers:
        match layer:
            case Conv(filters, size, stride):
                model.add(
                    AsymConv2D(
                        filters, size, stride, padding=architecture.padding, **shared
                    )
                )
                activate()
            case Pool(kind, size, stride):
                pooling = {
                    "max": keras.layers.MaxPooling2D,
                    "average": keras.layers.AveragePooling2D,
                }[kind]
                model.add(pooling(size, stride, padding=architecture.padding))
            case FC(units):
                _flatten(model, architecture)
                units = units(num_classes) if callable(units) else units
                model.add(AsymDense(units, **shared))
                activate()
    _flatten(model, architecture)
    shared["trainable"] = clamped != "Bottom"
    model.add(AsymDense(num_classes, name="logits", **shared))
    return model


def _flatten(model, architecture):
    # A model without layers has no output shape yet.
    shape = model.output_shape[1:] if model.layers else architecture.input_shape
    if len(shape) > 1:
        model.add(keras.layers.Flatten())
