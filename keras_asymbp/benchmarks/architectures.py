"""The function that builds the networks of Table 1."""

import keras

from keras_asymbp.benchmarks.errors import unknown
from keras_asymbp.benchmarks.table1 import ARCHITECTURES, FC, Conv, Pool
from keras_asymbp.layers import AsymConv2D, AsymDense
from keras_asymbp.normalization import BatchNormalization


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
