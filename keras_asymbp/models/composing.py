"""Composes a Keras model of a network, with Keras's initializers and seeds."""

import dataclasses
import itertools
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import keras

from keras_asymbp import feedbacks, random
from keras_asymbp._numbers import check_count, is_count
from keras_asymbp.models import building, sizes
from keras_asymbp.models.rows import FC, Dropout, GlobalPool, Network
from keras_asymbp.normalization import BatchNormalization

# Streams of a model's seed.
_WEIGHTS, _FEEDBACK, _DROPOUT = range(3)
_NORMALIZATIONS = (None, "BN", "BN learnable")
_TOP = (FC, Dropout, GlobalPool)


class Draws:
    """The rule and the initializer of each layer, each with a stream of its own.

    Args:
        feedback: An identifier of the rule.
        kernel_initializer: An identifier of the initializer.
        seed: The model's seed, which counts where a rule or an initializer has none.
    """

    def __init__(self, feedback, kernel_initializer, seed: int | None):
        self._rule = feedbacks.get(feedback)
        if kernel_initializer is None:
            kernel_initializer = "glorot_uniform"  # Keras's, here with a seed
        self._initializer = keras.initializers.get(kernel_initializer)
        self._seed = None if seed is None else random.resolve_seed(seed)

    def arguments(self, number: int) -> dict[str, Any]:
        """The arguments of a layer with a kernel, by its number."""
        return {
            "feedback": _seeded(self._rule, self._stream(_FEEDBACK)).sibling(number),
            "kernel_initializer": self._initializer_of(number),
        }

    def dropout(self) -> Iterator[int | None]:
        """The seeds of dropout layers."""
        seed = self._stream(_DROPOUT)
        for number in itertools.count():
            yield None if seed is None else random.derive_seed(seed, number)

    def _stream(self, stream):
        return None if self._seed is None else random.derive_seed(self._seed, stream)

    def _initializer_of(self, number):
        if not isinstance(self._initializer, keras.initializers.Initializer):
            return self._initializer  # a function
        own = _seeded(self._initializer, self._stream(_WEIGHTS))
        config = own.get_config()
        if isinstance(config.get("seed"), int):
            config["seed"] = random.derive_seed(config["seed"], number)
        elif config.get("seed") is not None:
            return own  # its generator goes on from layer to layer
        return type(own).from_config(config)


def _seeded(thing, seed):
    """A rule or initializer with this seed, if it takes one and has none."""
    config = thing.get_config()
    if seed is None or "seed" not in config or config["seed"] is not None:
        return thing
    return type(thing).from_config(config | {"seed": seed})


def check(network: Network, input_shape, classes, weights, normalization) -> None:
    """Checks the arguments that no part of Keras checks.

    Raises:
        ValueError: If one is not as `base.ARGUMENTS` describes it.
    """
    rank = len(network.input_shape)
    if input_shape is not None and (
        not isinstance(input_shape, tuple | list)
        or (len(input_shape) != rank and rank > 1)
        or not input_shape
        or not all(size is None or is_count(size) for size in input_shape)
        or input_shape[-1] is None
    ):
        like = f"like {network.input_shape}" if rank > 1 else "of positive integers"
        raise ValueError(
            f"Argument `input_shape` must be a shape {like}, without the batch and "
            f"with the channels last. Received: input_shape={input_shape!r}"
        )
    check_count("classes", classes)
    is_path = isinstance(weights, str | os.PathLike)
    if weights is not None and not (is_path and pathlib.Path(weights).is_file()):
        raise ValueError(
            "Argument `weights` must be None or the path of a file from "
            "`model.save_weights`: there are no trained weights to download. Received: "
            f"weights={weights!r}"
        )
    if normalization not in _NORMALIZATIONS:
        raise ValueError(
            "Argument `normalization` must be None, 'BN' or 'BN learnable'. Received: "
            f"normalization={normalization!r}"
        )


def compose(
    network: Network,
    input_shape: tuple[Any, ...],
    classes: int,
    include_top: bool,
    classifier_activation,
    draws: Draws,
    normalization: str | None,
    name: str | None,
) -> keras.Model:
    """Composes the model; see `base.ARGUMENTS`."""

    def normalize():
        return BatchNormalization(learnable=normalization == "BN learnable")

    rows = network.layers
    while not include_top and rows and isinstance(rows[-1], _TOP):
        rows = rows[:-1]
    if not sizes.fits(
        dataclasses.replace(network, layers=rows), input_shape, include_top
    ):
        raise ValueError(
            f"Argument `input_shape` of model '{name}' doesn't fit its layers, which "
            f"were made for {network.input_shape}: give a larger one, with known sizes "
            f"if a fully connected layer follows. Received: input_shape={input_shape}"
        )
    network = dataclasses.replace(network, input_shape=input_shape, layers=rows)
    builder = building.Builder(
        network,
        draws.arguments,
        normalize if normalization else None,
        draws.dropout(),
    )
    steps = builder.hidden(classes)
    if include_top:
        steps += builder.output(
            classes, activation=classifier_activation, name="predictions"
        )
    return building.join(input_shape, steps, name)
