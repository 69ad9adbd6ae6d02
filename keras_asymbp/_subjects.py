"""The models on which functions and callbacks work."""

from typing import Any

import keras


def check_layer(model: Any, argument: str = "model") -> None:
    """Checks that an argument is a layer; every Keras model is one.

    Raises:
        ValueError: If it isn't.

    >>> check_layer("my_model.keras")
    Traceback (most recent call last):
    ...
    ValueError: Argument `model` must be a Keras model or layer. Received: str
    """
    if not isinstance(model, keras.layers.Layer):
        raise ValueError(
            f"Argument `{argument}` must be a Keras model or layer. Received: "
            f"{type(model).__name__}"
        )


def check_compiled(model: Any) -> None:
    """Checks that an argument is a model that is built and compiled.

    Raises:
        ValueError: If it isn't.
    """
    check_layer(model)
    if not (model.built and getattr(model, "compiled", False)):
        raise ValueError(
            "The model must be built and compiled with a loss, whose gradients are "
            f"measured. Received: '{model.name}', built={model.built}, "
            f"compiled={getattr(model, 'compiled', False)}"
        )
