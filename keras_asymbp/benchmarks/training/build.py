"""Builds a Keras model from a network's rows."""

import functools
import itertools
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from keras_asymbp import feedbacks
from keras_asymbp.benchmarks import networks
from keras_asymbp.benchmarks.networks import (
    FC,
    Application,
    Conv,
    Dropout,
    GlobalPool,
    Pad,
    Pool,
    Residual,
)
from keras_asymbp.benchmarks.training.first_weights import draw_anew, first_weights
from keras_asymbp.conversion import asymmetrize
from keras_asymbp.direct_feedback import direct_feedback
from keras_asymbp.layers import AsymConv2D, AsymDense
from keras_asymbp.normalization import BatchNormalization

# Not a rule of single layers: `direct_feedback` converts the whole model.
DIRECT = "DFA"


def build(
    name: str,
    num_classes: int,
    feedback="BP",
    normalization: str | None = None,
    clamped: str | None = None,
    kernel_initializer="he_normal",
    normalization_per: str = "channel",
    normalization_alpha: float = 0.05,
    scale: str | float | None = None,
    seed: int = 0,
) -> keras.Model:
    """Builds a network that ends in logits.

    Batch normalization, if any, and ReLU follow every convolution and fully connected
    layer except the last; in a residual block the second ReLU follows the sum.

    Args:
        name: A key of `networks.NETWORKS`. A model of `keras.applications` is built
            untrained, with Keras's own initializers and normalization.
        num_classes: Number of units of the last layer.
        feedback: Name or config of the feedback rule; each layer gets its own instance.
            "DFA" is direct feedback alignment.
        normalization: "BN" (no learnable parameters), "BN learnable", or None for the
            network's own, if any.
        clamped: "Bottom" freezes the last layer, "Top" all layers except the last,
            None freezes no layer. Frozen `BatchNormalization` still normalizes by the
            batch in training; Keras's own normalization does not.
        kernel_initializer: A key of `first_weights.INITIALIZERS` or a Keras
            initializer, for all kernels; biases start at 0.
        normalization_per: "channel" or "element"; see `BatchNormalization`.
        normalization_alpha: The `alpha` of `BatchNormalization`.
        scale: The `scale` of a sign-based rule; None for the rule's default.
        seed: Seed of the first weights; see `FirstWeights`. That of the feedback is
            Keras's global seed.

    Raises:
        UsageError: If the network is unknown.

    >>> build("mnist", 10, feedback="uSF").count_params()
    431080
    """
    network = networks.get(name)
    builder = _Builder(
        network,
        {
            "feedback": "BP" if feedback == DIRECT else _scaled(feedback, scale),
            "trainable": clamped != "Top",
        },
        kernel_initializer,
        seed,
        normalization=normalization or network.normalization,
        per=normalization_per,
        alpha=normalization_alpha,
    )
    match network.layers:
        case (Application(application),):
            model = _application(
                application, num_classes, builder.shared, clamped, seed
            )
        case rows:
            steps = [step for row in rows for step in builder.steps(row, num_classes)]
            steps += builder.flatten()
            last = builder.layer() | {"trainable": clamped != "Bottom"}
            steps += [AsymDense(num_classes, name="logits", **last)]
            model = _model(network.input_shape, steps, name)
    if feedback == DIRECT:
        model = direct_feedback(model)
    return model


def _scaled(feedback, scale):
    if scale is None:
        return feedback
    config = feedbacks.serialize(feedbacks.get(feedback))
    config["config"]["scale"] = scale
    return config


def _model(input_shape, steps, name):
    """A model that applies layers, or functions for residual blocks, in order."""
    if all(isinstance(step, keras.layers.Layer) for step in steps):
        return keras.Sequential([keras.Input(input_shape), *steps], name=name)
    inputs = keras.Input(input_shape)
    outputs = functools.reduce(lambda x, step: step(x), steps, inputs)
    return keras.Model(inputs, outputs, name=name)


def _application(name, num_classes, shared, clamped, seed):
    """A model of `keras.applications`, converted to asymmetric layers."""
    make = getattr(keras.applications, name)
    model = make(weights=None, classes=num_classes, classifier_activation=None)
    draw_anew(model, seed)
    model = asymmetrize(model, feedback=shared["feedback"], print_fn=None)
    *below, last = [layer for layer in model.layers if layer.weights]
    for layer in below:
        layer.trainable = clamped != "Top"
    last.trainable = clamped != "Bottom"
    return model


class _Builder:
    """Makes the layers of a network's rows, bottom first."""

    def __init__(
        self, network, shared: dict[str, Any], initializer, seed: int, **normalization
    ):
        self._network = network
        self.shared = shared
        self._initializer, self._seed = initializer, seed
        self._numbers = itertools.count()
        self._normalization = normalization
        self._is_flat = len(network.input_shape) == 1

    def layer(self) -> dict[str, Any]:
        """The arguments that each layer with weights gets; each call is for one."""
        number = next(self._numbers)
        initializer = first_weights(self._initializer, self._seed, number)
        return self.shared | {"kernel_initializer": initializer}

    def steps(self, row, num_classes) -> Iterator[Any]:
        padding = self._network.padding
        match row:
            case Conv(filters, size, stride):
                yield self._conv(filters, size, stride, padding)
                yield from self._activate()
            case Pool("max", size, stride):
                yield keras.layers.MaxPooling2D(size, stride, padding=padding)
            case Pool("average", size, stride):
                yield keras.layers.AveragePooling2D(size, stride, padding=padding)
            case FC(units):
                yield from self.flatten()
                units = units(num_classes) if callable(units) else units
                yield AsymDense(units, **self.layer())
                yield from self._activate()
            case Pad(size):
                yield keras.layers.ZeroPadding2D(size)
            case GlobalPool():
                yield keras.layers.GlobalAveragePooling2D()
                self._is_flat = True
            case Dropout(rate):
                yield keras.layers.Dropout(rate)
            case Residual():
                yield functools.partial(self._residual, row)
            case _:
                raise TypeError(f"a network has no rows such as {row!r}")

    def flatten(self) -> list[keras.layers.Layer]:
        if self._is_flat:
            return []
        self._is_flat = True
        return [keras.layers.Flatten()]

    def _conv(self, filters, size, stride, padding):
        bias = self._network.conv_bias
        return AsymConv2D(
            filters, size, stride, padding=padding, use_bias=bias, **self.layer()
        )

    def _activate(self):
        return [*self._normalize(), keras.layers.ReLU()]

    def _normalize(self):
        kind = self._normalization["normalization"]
        if not kind:
            return []
        trainable = self.shared["trainable"]
        return [
            BatchNormalization(
                learnable=kind == "BN learnable",
                per=self._normalization["per"],
                alpha=self._normalization["alpha"],
                trainable=trainable,
                # Only the weights are clamped; statistics follow the batches.
                batch_statistics_when_frozen=not trainable,
            )
        ]

    def _residual(self, row, x):
        block = [
            # One pixel on each side; Keras's "same" pads only right and bottom here.
            keras.layers.ZeroPadding2D(1),
            self._conv(row.filters, 3, row.stride, "valid"),
            *self._activate(),
            self._conv(row.filters, 3, 1, "same"),
            *self._normalize(),
        ]
        shortcut = x
        if row.stride > 1 or x.shape[-1] != row.filters:
            if row.projection:
                projection = self._conv(row.filters, 1, row.stride, "valid")
                for layer in (projection, *self._normalize()):
                    shortcut = layer(shortcut)
            else:
                more = row.filters - x.shape[-1]
                maps = (more // 2, more - more // 2)
                shortcut = ops.pad(
                    x[:, :: row.stride, :: row.stride], ((0, 0), (0, 0), (0, 0), maps)
                )
        x = functools.reduce(lambda x, layer: layer(x), block, x)
        return keras.layers.ReLU()(keras.layers.Add()([x, shortcut]))
