"""Counts the updates of kernels, by the model's optimizers or by its own code."""

import keras
from keras import ops

from keras_asymbp import random


class Updates:
    """The updates of kernels since this object was created.

    Keras's own `train_step` updates by `model.optimizer`, which counts. A `train_step`
    of the model's own may step several optimizers, or assign to the weights itself: an
    update is then also a change of W that no optimizer has counted.

    Args:
        model: A `keras.Model` in training.
        train_step: Its `train_step`, before anything was added to it.
        kernels: The kernels, Keras variables.
    """

    def __init__(self, model, train_step, kernels):
        self._optimizers = (
            [model.optimizer] if is_stock(train_step) else _optimizers(model)
        )
        self._before = [ops.copy(each.iterations) for each in self._optimizers]
        looked_at = () if is_stock(train_step) else kernels
        self._looks = {id(kernel): random.fingerprint(kernel) for kernel in looked_at}

    def of(self, kernel):
        """Returns the number of updates of a kernel, an integer tensor.

        For a frozen kernel, which no optimizer updates, those of all kernels count.
        """
        count = sum(
            optimizer.iterations - before
            for optimizer, before in zip(self._optimizers, self._before, strict=True)
            if not kernel.trainable or _holds(optimizer, kernel)
        )
        if id(kernel) not in self._looks:
            return count
        changed = random.fingerprint(kernel) != self._looks[id(kernel)]
        return ops.maximum(ops.cast(count, "int32"), ops.cast(changed, "int32"))


def is_stock(train_step) -> bool:
    """Whether a bound `train_step` is Keras's own, perhaps with our redraw after it."""
    if getattr(train_step, "redraws_feedback", False):
        train_step = train_step.__wrapped__
    return getattr(train_step, "__func__", None) is keras.Model.train_step


def _optimizers(model):
    """Returns the optimizers among the attributes of a model and of its layers."""
    found = {
        id(optimizer): optimizer
        for part in model._flatten_layers()
        for value in vars(part).values()
        for optimizer in _inside(value)
    }
    return list(found.values())


def _inside(value):
    """Yields the optimizers that a value is, or that a collection has in it."""
    if isinstance(value, keras.Optimizer):
        yield value
    elif isinstance(value, list | tuple | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _inside(each)


def _holds(optimizer, kernel):
    # Keras has no public name for them.
    return any(each is kernel for each in optimizer._trainable_variables)
