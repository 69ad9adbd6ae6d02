"""Taking a Keras model apart: what conversion and direct feedback have in common."""

import contextlib
from collections.abc import Callable, Iterable, Iterator

import keras

from keras_asymbp.error_routes import DirectFeedback
from keras_asymbp.feedbacks import Feedback
from keras_asymbp.layers import LAYERS, AsymmetricLayer

ASYMMETRIC: dict[type, type] = {layer.twin(): layer for layer in LAYERS.values()}
"""The asymmetric form of each stock Keras layer that has one."""

Layers = Iterable[tuple[keras.layers.Layer, keras.layers.Layer]]


def check(model: keras.Model, function: str) -> None:
    """Checks that a model can be taken apart.

    Args:
        model: A Keras model.
        function: Name of the function that the user called, for the message.

    Raises:
        ValueError: If the model is a subclassed model or contains one, isn't built, or
            has direct feedback.
    """
    functional = type(_functional())
    takes = isinstance(model, keras.Sequential | functional)
    own_call = [
        each
        for each in model._flatten_layers()
        if isinstance(each, keras.Sequential | functional)
        and type(each).call not in (keras.Sequential.call, functional.call)
    ]
    if not takes or own_call:
        wrong = own_call[0] if takes else model
        raise ValueError(
            f"`{function}` takes a functional or Sequential model: a subclassed one "
            "creates its layers in its own code; use asymmetric layers there. "
            f"Received: {kind(wrong)} '{wrong.name}'"
        )
    if not model.built:
        raise ValueError(
            f"`{function}` takes a built model: give '{model.name}' an Input, or call "
            "it once."
        )
    if any(isinstance(each, DirectFeedback) for each in model._flatten_layers()):
        raise ValueError(
            f"Model '{model.name}' has direct feedback, which uses no layer's V: give "
            f"`{function}` the model from which it was created."
        )


def clone(
    model: keras.Model,
    convert: Callable[[keras.layers.Layer], keras.layers.Layer],
    function: str,
) -> keras.Model:
    """Returns a model of converted layers with the names and variables of another.

    Args:
        model: A built functional or Sequential model, nested ones included.
        convert: Function of a layer that returns a new, unbuilt layer with the same
            variables; it may have those of rules in addition.
        function: Name of the function that the user called, for messages.

    Returns:
        The new model, built and not compiled.

    Raises:
        ValueError: If the model can't be taken apart; see `check`.
    """
    check(model, function)
    pairs = []

    def convert_and_note(layer):
        new = convert(layer)
        if isinstance(layer, keras.layers.Layer):  # not an operation, such as `x + y`
            pairs.append((new, layer))
        return new

    with not_compiled(model):
        twin = keras.models.clone_model(
            model, clone_function=convert_and_note, recursive=True
        )
    if not twin.built:  # a Sequential without an Input
        twin.build(model.input_shape)
    models = [
        [e for e in each._flatten_layers() if isinstance(e, keras.Model)]
        for each in (twin, model)
    ]
    carry_over(pairs, models=zip(*models, strict=True))
    return twin


def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Returns a new layer of the same class and configuration."""
    return type(layer).from_config(layer.get_config())


def carry_over(pairs: Layers, models: Layers = ()) -> None:
    """Gives new layers the names, `trainable` and variables of old ones.

    Args:
        pairs: Each new layer with its old one, both built.
        models: Each new model with its old one, whose names and `trainable` count.
    """
    # Models first: `trainable` sets that of everything inside.
    for target, source in [*models, *pairs]:
        for inner, original in zip(parts(target), parts(source), strict=True):
            inner.trainable = original.trainable
            inner.name = original.name  # which `clone_model` loses for inputs
    for target, source in pairs:
        for variable, value in zip(state(target), state(source), strict=True):
            variable.assign(value)
            variable.trainable = value.trainable


@contextlib.contextmanager
def not_compiled(model: keras.Model) -> Iterator[None]:
    """Within it the model, and those inside it, count as not compiled.

    `clone_model` compiles the copies of compiled models, for which it needs the
    configuration of the loss: a lambda has none.
    """
    compiled = [each for each in model._flatten_layers() if _is_compiled(each)]
    try:
        for each in compiled:
            each.compiled = False
        yield
    finally:
        for each in compiled:
            each.compiled = True


def parts(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Returns a layer and those inside it, without rules, in its twin's order."""
    return [part for part in layer._flatten_layers() if not isinstance(part, Feedback)]


def state(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Returns a layer's variables, random seeds included, without those of rules."""
    rules = {
        id(variable)
        for part in layer._flatten_layers()
        if isinstance(part, Feedback)
        for variable in part.variables
    }
    return [variable for variable in layer.variables if id(variable) not in rules]


def twin_of(layer: keras.layers.Layer) -> type | None:
    """Returns the class in `ASYMMETRIC` that a layer is or extends, None if none.

    >>> twin_of(keras.layers.Dense(3)).__name__
    'Dense'
    """
    return next((base for base in type(layer).__mro__ if base in ASYMMETRIC), None)


def asymmetric_parts(layer: keras.layers.Layer) -> list[AsymmetricLayer]:
    """Returns the asymmetric layers among a layer and those inside it."""
    if not isinstance(layer, keras.layers.Layer):  # an operation
        return []
    return [p for p in layer._flatten_layers() if isinstance(p, AsymmetricLayer)]


def kind(layer: keras.layers.Layer) -> str:
    """Returns the name of a layer's class, for messages."""
    return type(layer).__name__


def _functional():
    """A functional model: Keras names no public class for what `Model(...)` makes."""
    inputs = keras.Input(())
    return keras.Model(inputs, inputs)


def _is_compiled(layer):
    return isinstance(layer, keras.Model) and layer.compiled
