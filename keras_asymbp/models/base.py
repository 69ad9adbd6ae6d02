"""From a function that describes a network to one that builds its models."""

import functools
import inspect
import os
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

from keras_asymbp.models.rows import Network

if TYPE_CHECKING:
    import keras

# The command line reads the networks as data, without a tensor library: importing this
# package therefore imports none, and a call does.

# The end of each function's docstring.
ARGUMENTS = """
    Args:
        feedback: The rule of every layer with a kernel: a name, a `Feedback`, its
            config, or None for backpropagation. Each layer gets its own rule, and with
            a `seed` its own stream.
        input_shape: Shape of one input without the batch, channels last, whatever
            `keras.config.image_data_format` is. None for the published size.
        classes: Number of classes, 1 or more: the units of the last layer.
        include_top: Whether the model ends in the classifier. Without it the last
            feature maps are the output, before global pooling, flattening and fully
            connected layers. `mlp` has no such argument.
        weights: None for random first weights, or the path of a file from
            `save_weights` of the same model. There are no trained weights to download.
        classifier_activation: Activation of the last layer. None for logits.
        normalization: `"BN learnable"` for `keras_asymbp.BatchNormalization` with gain
            and offset after every layer with a kernel but the last, `"BN"` without, or
            None.
        kernel_initializer: A Keras initializer, its name or its config, for all
            kernels; each gets its own stream. None for `"glorot_uniform"`. Biases start
            at 0.
        seed: An integer in [0, 2^31), the seed of first weights, random feedback and
            dropout. None for Keras's global seed (`keras.utils.set_random_seed`).
        name: The model's name.

    Returns:
        A `keras.Model`, not compiled.

    Raises:
        ValueError: If a rule or a normalization is unknown, `input_shape` has the wrong
            rank or is too small, `classes` is below 1, `seed`, `depth` or
            `hidden_units` is out of range, or `weights` names no file.
"""


def make(
    network: Network,
    feedback: Any = "uSF",
    *,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = None,
) -> "keras.Model":
    """Builds the model of a network; the arguments are described in `ARGUMENTS`."""
    from keras_asymbp.models import composing

    composing.check(network, input_shape, classes, weights, normalization)
    model = composing.compose(
        network,
        tuple(input_shape or network.input_shape),
        classes,
        include_top,
        classifier_activation,
        composing.Draws(feedback, kernel_initializer, seed),
        normalization,
        name or network.name,
    )
    if weights is not None:
        model.load_weights(weights)
    return model


_SHARED = dict(list(inspect.signature(make).parameters.items())[1:])


def builds(without: tuple[str, ...] = (), **defaults: Any) -> Callable:
    """Decorates the function that describes a network: the new one builds its models.

    The new function takes the arguments of the old one, by keyword, and those of
    `make`, and describes the latter.

    Args:
        without: Arguments of `make` that it does not take.
        **defaults: Defaults that differ from those of `make`. That of the name is the
            function's.
    """

    def decorate(describe: Callable[..., Network]) -> Callable[..., "keras.Model"]:
        own = inspect.signature(describe).parameters
        signature = _signature(own, without, {"name": describe.__name__} | defaults)

        @functools.wraps(describe)
        def build(*args, **kwargs):
            try:
                given = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{describe.__name__}() {error}") from None
            given.apply_defaults()
            values = given.arguments
            network = describe(**{argument: values[argument] for argument in own})
            return make(network, **{n: v for n, v in values.items() if n in _SHARED})

        build.__doc__ = f"{(describe.__doc__ or '').rstrip()}\n{ARGUMENTS}    "
        build.__annotations__ = _annotations(signature)
        build.__signature__ = signature  # type: ignore[attr-defined]
        return build

    return decorate


def _signature(own, without, defaults) -> Signature:
    """The feedback, the function's own arguments, and the other shared ones."""
    shared = {
        name: each.replace(default=defaults.get(name, each.default))
        for name, each in _SHARED.items()
        if name not in without
    }
    mine = {
        name: each.replace(kind=Parameter.KEYWORD_ONLY)
        for name, each in own.items()
        if name not in shared
    }
    feedback = {"feedback": shared.pop("feedback")}
    parameters = (feedback | mine | shared).values()
    annotation = inspect.signature(make).return_annotation
    return Signature(list(parameters), return_annotation=annotation)


def _annotations(signature) -> dict[str, Any]:
    of_arguments = {p.name: p.annotation for p in signature.parameters.values()}
    return of_arguments | {"return": signature.return_annotation}
