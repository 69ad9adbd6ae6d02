"""Builds the layers of a network's rows."""

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops

from keras_asymbp.layers.conv2d import AsymConv2D
from keras_asymbp.layers.dense import AsymDense
from keras_asymbp.models.rows import (
    FC,
    Conv,
    Dropout,
    GlobalPool,
    Network,
    Pad,
    Pool,
    Residual,
)

_FORMAT = "channels_last"  # whatever Keras's default is


class Builder:
    """Makes the layers of a network's rows, bottom first.

    Batch normalization, if any, and ReLU follow every convolution and fully connected
    layer except the last; in a residual block the second ReLU follows the sum.

    Args:
        network: The network.
        arguments: Function of the number of a layer with weights, counted from 0, that
            returns its arguments: `feedback`, `kernel_initializer`, ...
        normalization: Function that returns a new normalization layer; None for a
            network without normalization.
        seeds: Seeds of dropout layers; by default they follow Keras's global seed.
    """

    def __init__(
        self,
        network: Network,
        arguments: Callable[[int], dict[str, Any]],
        normalization: Callable[[], keras.layers.Layer] | None = None,
        seeds: Iterator[int | None] | None = None,
    ):
        self._network = network
        self._arguments = arguments
        self._normalization = normalization
        self._seeds = seeds or itertools.repeat(None)
        self._numbers = itertools.count()
        self._is_flat = len(network.input_shape) == 1

    def hidden(self, classes: int) -> list[Any]:
        """The steps below the output: layers, or functions for residual blocks."""
        rows = self._network.layers
        return [step for row in rows for step in self._steps(row, classes)]

    def output(self, classes: int, **arguments) -> list[keras.layers.Layer]:
        """The output layer, with `arguments` of its own, and what it needs before."""
        shared = self._arguments(next(self._numbers))
        return [*self._flatten(), AsymDense(classes, **(shared | arguments))]

    def _steps(self, row, classes) -> Iterator[Any]:
        shared = {"padding": self._network.padding, "data_format": _FORMAT}
        match row:
            case Conv(filters, size, stride):
                yield self._conv(filters, size, stride, self._network.padding)
                yield from self._activate()
            case Pool("max", size, stride):
                yield keras.layers.MaxPooling2D(size, stride, **shared)
            case Pool("average", size, stride):
                yield keras.layers.AveragePooling2D(size, stride, **shared)
            case FC(units):
                yield from self._flatten()
                units = units(classes) if callable(units) else units
                yield AsymDense(units, **self._arguments(next(self._numbers)))
                yield from self._activate()
            case Pad(size):
                yield keras.layers.ZeroPadding2D(size, data_format=_FORMAT)
            case GlobalPool():
                yield keras.layers.GlobalAveragePooling2D(data_format=_FORMAT)
                self._is_flat = True
            case Dropout(rate):
                yield keras.layers.Dropout(rate, seed=next(self._seeds))
            case Residual():
                yield functools.partial(self._residual, row)
            case _:
                raise TypeError(f"a network has no rows such as {row!r}")

    def _flatten(self) -> list[keras.layers.Layer]:
        if self._is_flat:
            return []
        self._is_flat = True
        return [keras.layers.Flatten(data_format=_FORMAT)]

    def _conv(self, filters, size, stride, padding):
        return AsymConv2D(
            filters,
            size,
            stride,
            padding=padding,
            data_format=_FORMAT,
            use_bias=self._network.conv_bias,
            **self._arguments(next(self._numbers)),
        )

    def _activate(self):
        return [*self._normalize(), keras.layers.ReLU()]

    def _normalize(self):
        return [self._normalization()] if self._normalization else []

    def _residual(self, row, x):
        block = [
            # One pixel on each side; Keras's "same" pads only right and bottom here.
            keras.layers.ZeroPadding2D(1, data_format=_FORMAT),
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


def join(input_shape, steps: list[Any], name: str | None) -> keras.Model:
    """A model that applies layers, or functions for residual blocks, in order."""
    if all(isinstance(step, keras.layers.Layer) for step in steps):
        return keras.Sequential([keras.Input(input_shape), *steps], name=name)
    inputs = keras.Input(input_shape)
    outputs = functools.reduce(lambda x, step: step(x), steps, inputs)
    return keras.Model(inputs, outputs, name=name)
