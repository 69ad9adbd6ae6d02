"""Listening at the pre-activations of layers."""

import contextlib
import functools

import numpy as np
from keras import ops

from keras_asymbp.backend import has_value, inlined, uncompiled


class NoValueError(Exception):
    """A tap was called in a compiled function."""


def with_values(listen):
    """Calls a function in the fastest context in which all tensors have values.

    Args:
        listen: Function without arguments whose taps read their tensors by `value_of`.

    Returns:
        What it returns, and a function that makes a context for the same calls.
    """
    whole = functools.partial(uncompiled, everything=True)
    # That no tap was in a compiled function need be found out only once.
    for context, again in ((uncompiled, inlined), (whole, whole)):
        try:
            with context():
                return listen(), again
        except NoValueError:
            pass
    raise ValueError(
        "Expected layers that are called with values. Received: a layer in a function "
        "that is vectorized or compiled, and can't be run as Python."
    )


def value_of(tensor):
    """Returns a tensor as an array."""
    if not has_value(tensor):
        raise NoValueError
    return ops.convert_to_numpy(tensor)


@contextlib.contextmanager
def tapped(layers, tap):
    """Within it each layer's activation is `tap(number, activation, N)`.

    N is the layer's pre-activation (eq. 1). The tap calls the layer's own activation,
    because softmax leaves its logits for the loss.

    Args:
        layers: Layers with an attribute `activation`, a function or None.
        tap: Function of the number of the layer, its activation and N that returns the
            outputs.
    """
    before = [layer.activation for layer in layers]

    def tapping(number, activation):
        activation = activation or _linear
        return lambda n: tap(number, activation, n)

    try:
        for number, layer in enumerate(layers):
            # Keras tracks what is set as an attribute.
            layer.__dict__["activation"] = tapping(number, before[number])
        yield
    finally:
        for layer, activation in zip(layers, before, strict=True):
            layer.__dict__["activation"] = activation


def can_be_tapped(layer):
    """Whether a layer passes its pre-activation to an attribute `activation`."""
    return "activation" in layer.__dict__


def as_matrix(layer, values):
    """Returns values at a layer's outputs as a matrix with a column for each unit.

    Rows are examples, and positions in each: those that share the kernel's filters.
    """
    units = [axis % values.ndim for axis in _unit_axes(layer)]
    rows = [axis for axis in range(values.ndim) if axis not in units]
    size = int(np.prod([values.shape[axis] for axis in units]))
    return np.transpose(values, [*rows, *units]).reshape(-1, size)


def _unit_axes(layer):
    """Returns the axes of the outputs that are the kernel's own."""
    if equation := getattr(layer, "equation", None):
        arguments, outputs = equation.replace("...", ".").replace(" ", "").split("->")
        inputs, kernel = arguments.split(",")
        found = [
            # From the side on which the ellipsis isn't.
            place if place < outputs.find(".") else place - len(outputs)
            for place, letter in enumerate(outputs)
            if letter in kernel and letter not in inputs
        ]
        return found or [-1]
    return [1 if getattr(layer, "data_format", None) == "channels_first" else -1]


def _linear(n):
    return n
