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
    """A backward pass over some batches.

    Attributes:
        errors: A list of the error of each layer, a matrix of float64: a column for
            each unit, a row for each example, position and call of the layer. None for
            a layer that wasn't called.
        gradients: The gradient of each kernel, summed over the batches.
    """

    errors: list[Any]
    gradients: list[Any]


def preactivations(model, layers, batches):
    """Returns the pre-activations N of the layers in training mode.

    Returns:
        A list for each batch of pairs of a layer's number and N, in the order of calls;
        and a function that makes the context in which they are called like this.
    """

    def listen():
        batchwise = []

        def note(number, activation, n):
            batchwise[-1].append((number, value_of(n)))
            return activation(n)

        with unchanged(untrained(model)), tapped(layers, note):
            for x, *_ in batches:
                batchwise.append([])
                model(x, training=True)
        return batchwise

    return with_values(listen)


def backward(model, layers, kernels, batches, calls, context) -> Backward:
    """Returns the errors at the layers and the gradients of the kernels.

    The error of a call is the gradient in zeros that are added to its N. The model's
    untrained state moves on as in training.

    Args:
        model: A compiled model.
        layers: Its layers.
        kernels: Variables of the model.
        batches: List of batches `(x, y)` or `(x, y, sample_weight)`.
        calls: The `preactivations` of these batches.
        context: The function that comes with them.
    """
    rows: list[list] = [[] for _ in layers]
    batchwise = []
    with context():
        for batch, found in zip(batches, calls, strict=True):
            zeros = [ops.zeros(n.shape, n.dtype.name) for _, n in found]
            _, all_gradients = gradients(
                _loss_with_zeros(model, layers, batch, found), zeros, kernels
            )
            batchwise.append(all_gradients[len(zeros) :])
            for (number, n), error in zip(found, all_gradients, strict=False):
                error = np.zeros(n.shape) if error is None else _array(error)
                rows[number].append(as_matrix(layers[number], error))
    scale = _array(model.optimizer.scale_loss(ops.ones(())))
    return Backward(
        [np.concatenate(each) / scale if each else None for each in rows],
        [np.asarray(each, np.float64) / scale for each in summed(kernels, batchwise)],
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
