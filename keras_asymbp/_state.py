"""The untrained state of models: statistics, random seeds, recurrent states, rules."""

import contextlib
from collections.abc import Iterable, Iterator

import keras

from keras_asymbp.feedbacks import Feedback


def of_rules(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Returns the variables of the rules in a layer or model."""
    return [
        variable
        for part in layer._flatten_layers()
        if isinstance(part, Feedback)
        for variable in part.variables
    ]


def untrained(model: keras.layers.Layer) -> list[keras.Variable]:
    """Returns what a call of a model may change: the untrained state and metrics."""
    metrics = getattr(model, "metrics_variables", [])
    return [*model.non_trainable_variables, *_recurrent(model), *metrics]


def all_of(model: keras.layers.Layer) -> list[keras.Variable]:
    """Returns all variables of a model, those of recurrent states included."""
    return [*model.variables, *_recurrent(model)]


def without(
    variables: Iterable[keras.Variable], others: Iterable[keras.Variable]
) -> list[keras.Variable]:
    """Returns the variables that are not among others; their `==` compares values."""
    ids = {id(each) for each in others}
    return [each for each in variables if id(each) not in ids]


def memory(layer: keras.layers.Layer) -> list[list[keras.Variable]]:
    """Returns lists of a layer's variables that Keras counts among no layer's own.

    They are those of metrics, and the states of a stateful recurrent layer. Layers
    inside the layer have their own.
    """
    metrics = [] if isinstance(layer, keras.Model) else layer._metrics
    return [*(metric.variables for metric in metrics), _states(layer)]


def _recurrent(model):
    return [state for part in model._flatten_layers() for state in _states(part)]


def _states(layer):
    stateful = isinstance(layer, keras.layers.RNN) and layer.stateful
    return keras.tree.flatten(layer.states) if stateful and layer.states else []


@contextlib.contextmanager
def unchanged(variables: Iterable[keras.Variable]) -> Iterator[None]:
    """Restores the values of variables at its end."""
    before = [(each, keras.ops.convert_to_numpy(each)) for each in variables]
    try:
        yield
    finally:
        for variable, value in before:
            variable.assign(value)
