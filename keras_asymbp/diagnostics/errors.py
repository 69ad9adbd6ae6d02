"""The error dL/dN that arrives at each layer, and the gradients of kernels."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_asymbp._state import unchanged, untrained
from keras_asymbp.backend import gradients
from keras_asymbp.diagnostics.taps import as_matrix, tapped, value_of, with_values
from keras_asymbp.metrics import summed, training_loss


class Backward(NamedTuple):
    """A backward pass over a batch.

    Attributes:
        errors: A list of the error of each layer, a matrix of float64: a column for
            each unit, a row for each example, position and call of the layer. None for
            a layer that wasn't called.
        gradients: The gradient of each kernel.
    """

    errors: list[Any]
    gradients: list[Any]


def preactivations(model, layers, batch):
    """Returns the pre-activations N of the layers in training mode.

    Returns:
        A list of pairs of a layer's number and N, in the order of calls; and a function
        that makes the context in which they are called like this.
    """

    def listen():
        calls = []

        def note(number, activation, n):
            calls.append((number, value_of(n)))
            return activation(n)

        with unchanged(untrained(model)), tapped(layers, note):
            model(batch[0], training=True)
        return calls

    return with_values(listen)


def backward(model, layers, kernels, batch, calls, context) -> Backward:
    """Returns the errors at the layers and the gradients of the kernels.

    The error of a call is the gradient in zeros that are added to its N. The model's
    untrained state moves on as in training.

    Args:
        model: A compiled model.
        layers: Its layers.
        kernels: Variables of the model.
        batch: `(x, y)` or `(x, y, sample_weight)`.
        calls: The `preactivations` of this batch.
        context: The function that comes with them.
    """
    rows: list[list] = [[] for _ in layers]
    zeros = [ops.zeros(n.shape, n.dtype.name) for _, n in calls]
    loss = _loss_with_zeros(model, layers, batch, calls)
    with context():
        _, found = gradients(loss, zeros, kernels)
    for (number, n), error in zip(calls, found, strict=False):
        error = np.zeros(n.shape) if error is None else _array(error)
        rows[number].append(as_matrix(layers[number], error))
    scale = _array(model.optimizer.scale_loss(ops.ones(())))
    of_kernels = summed(kernels, [found[len(zeros) :]])
    return Backward(
        [np.concatenate(each) / scale if each else None for each in rows],
        [np.asarray(each, np.float64) / scale for each in of_kernels],
    )


def _loss_with_zeros(model, layers, batch, calls):
    def loss(*zeros):
        waiting: list[list] = [[] for _ in layers]
        for (number, _), zero in zip(calls, zeros, strict=True):
            waiting[number].append(zero)

        def add(number, activation, n):
            return activation(n + waiting[number].pop(0))

        with tapped(layers, add):
            return training_loss(model, *batch)

    return loss


def _array(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor), np.float64)
