from collections.abc import Iterable
from typing import Any

import keras

from keras_asymbp._calls import compiled_call
from keras_asymbp._state import unchanged, untrained, without
from keras_asymbp.normalization import BatchNormalization


class BatchStatistics(keras.callbacks.Callback):
    """Recomputes `BatchNormalization` statistics before each evaluation in `fit`.

    The model runs forward on `batches` in training mode, and nothing else changes:
    weights, random seeds, rules and other layers' averages stay. The means and standard
    deviations of the first batch start the exponential moving averages, and each later
    batch updates them by the layer's `alpha`. Frozen layers keep their statistics,
    unless they have `batch_statistics_when_frozen`.

    Args:
        batches (Iterable): Iterable of batches of inputs, without targets, such as a
            `tf.data.Dataset` or a list of arrays. It is read before each evaluation,
            all of it: a generator serves one evaluation only. The paper uses 20
            batches.

    Raises:
        ValueError: If `batches` isn't iterable; in an evaluation, if it has no batch,
            or batches of `(x, y)`.

    >>> import keras
    >>> import keras_asymbp
    >>> import numpy as np
    >>> x, y = np.random.normal(size=(80, 3)), np.zeros((80, 1))
    >>> norm = keras_asymbp.BatchNormalization()
    >>> model = keras.Sequential([keras.Input((3,)), norm, keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> statistics = keras_asymbp.BatchStatistics([x])
    >>> history = model.fit(
    ...     x, y, validation_data=(x, y), callbacks=[statistics], verbose=0
    ... )
    >>> np.allclose(norm.moving_mean, np.mean(x, 0), atol=1e-5)
    True

    Source: "Training Details", section 5, Liao et al. 2016.
    """

    def __init__(self, batches: Any) -> None:
        super().__init__()
        if not isinstance(batches, Iterable):
            raise ValueError(
                "Argument `batches` must be an iterable of batches of inputs, such as "
                f"`[x]`. Received: batches={batches!r}"
            )
        self.batches = batches

    def on_test_begin(self, logs=None):
        layers = recomputed_layers(self.model)
        if not layers:
            return
        statistics = [each for layer in layers for each in layer.variables]
        forward = compiled_call(self.model, training=True)
        number = -1
        try:
            with unchanged(without(untrained(self.model), statistics)):
                for number, batch in enumerate(self.batches):
                    _check_batch(self.model, batch)
                    if number < 2:
                        for layer in layers:
                            layer.rate.assign(1.0 if number == 0 else layer.alpha)
                    forward.prepare(batch)()
        finally:
            for layer in layers:
                layer.rate.assign(layer.alpha)
        if number < 0:
            raise ValueError(
                "Argument `batches` has no batch for this evaluation. Expected: an "
                "iterable that can be read again for each, such as a list. Received: "
                f"{type(self.batches).__name__}"
            )


def _check_batch(model, batch):
    """Refuses `(x, y)`, as of a data set for `fit`, where y would be another input."""
    inputs = getattr(model, "inputs", None) or []
    if isinstance(batch, tuple) and len(batch) > 1 and len(inputs) == 1:
        raise ValueError(
            "Argument `batches` must be an iterable of batches of inputs, without y. "
            f"Expected: one input, as in `[x]`. Received: a tuple of {len(batch)}"
        )


def recomputed_layers(model):
    """Returns the layers whose statistics `BatchStatistics` recomputes."""
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, BatchNormalization) and layer.uses_batch_statistics
    ]
