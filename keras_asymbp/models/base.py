"""What the functions of this package share: arguments, and the call that builds."""

import os
from collections.abc import Callable
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
            kernels; each gets its own stream. Biases start at 0.
        seed: An integer, the seed of first weights, random feedback and dropout. None
            for Keras's global seed (`keras.utils.set_random_seed`).
        name: The model's name.

    Returns:
        A `keras.Model`, not compiled.

    Raises:
        ValueError: If a rule or a normalization is unknown, `input_shape` has the wrong
            rank or is too small, `classes` is below 1, or `weights` names no file.
"""


def documented(function: Callable) -> Callable:
    """Appends the shared arguments to a function's docstring."""
    function.__doc__ = f"{(function.__doc__ or '').rstrip()}\n{ARGUMENTS}    "
    return function


def make(
    network: Network,
    *,
    feedback: Any,
    input_shape: tuple[int | None, ...] | None,
    classes: int,
    include_top: bool = True,
    weights: str | os.PathLike | None,
    classifier_activation: Any,
    normalization: str | None,
    kernel_initializer: Any,
    seed: int | None,
    name: str | None,
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
        name,
    )
    if weights is not None:
        model.load_weights(weights)
    return model
