"""The paper's networks: Table 1."""

import os
from typing import TYPE_CHECKING, Any

from keras_asymbp.models.base import documented, make
from keras_asymbp.models.perceptrons import TIMIT
from keras_asymbp.models.rows import FC, Conv, Network, Pool

if TYPE_CHECKING:
    import keras

TABLE_1 = {
    "large": Network(  # "All others"
        (119, 119, 3),
        (
            Conv(48, 9, stride=2),
            Pool("max", 2),
            Conv(128, 5),
            Pool("max", 2),
            FC(lambda classes: max(256, 3 * classes)),
            FC(lambda classes: 2 * classes),
        ),
    ),
    "mnist": Network(
        (28, 28, 1),
        (Conv(20, 5), Pool("max", 2), Conv(50, 5), Pool("max", 2), FC(500)),
    ),
    "cifar": Network(
        (32, 32, 3),
        (
            Conv(32, 5),
            Pool("max", 3),
            Conv(64, 5),
            Pool("average", 3),
            Conv(64, 5),
            Pool("average", 3),
            FC(128),
        ),
        # "same" here pads two pixels around a 5x5 convolution, and one at the right and
        # bottom of a 3x3/2 pooling of even size.
        padding="same",
    ),
    "svhn": Network(
        (32, 32, 3),
        (Conv(20, 5), Pool("max", 2), Conv(512, 7), Pool("max", 2), FC(40)),
    ),
    "timit": TIMIT,
}


@documented
def paper_mnist(
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
    name: str | None = "paper_mnist",
) -> "keras.Model":
    """The paper's network for MNIST (Table 1): `mnist` of the suite.

    >>> import keras_asymbp
    >>> keras_asymbp.models.paper_mnist("uSF").count_params()
    431080
    """
    return make(
        TABLE_1["mnist"],
        feedback=feedback,
        input_shape=input_shape,
        classes=classes,
        include_top=include_top,
        weights=weights,
        classifier_activation=classifier_activation,
        normalization=normalization,
        kernel_initializer=kernel_initializer,
        seed=seed,
        name=name,
    )


@documented
def paper_cifar(
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
    name: str | None = "paper_cifar",
) -> "keras.Model":
    """The paper's network for CIFAR-10 and -100 (Table 1): `cifar` of the suite.

    >>> import keras_asymbp
    >>> keras_asymbp.models.paper_cifar("uSF").count_params()
    288650
    """
    return make(
        TABLE_1["cifar"],
        feedback=feedback,
        input_shape=input_shape,
        classes=classes,
        include_top=include_top,
        weights=weights,
        classifier_activation=classifier_activation,
        normalization=normalization,
        kernel_initializer=kernel_initializer,
        seed=seed,
        name=name,
    )


@documented
def paper_svhn(
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
    name: str | None = "paper_svhn",
) -> "keras.Model":
    """The paper's network for SVHN (Table 1): `svhn` of the suite.

    >>> import keras_asymbp
    >>> keras_asymbp.models.paper_svhn("uSF").count_params()
    831922
    """
    return make(
        TABLE_1["svhn"],
        feedback=feedback,
        input_shape=input_shape,
        classes=classes,
        include_top=include_top,
        weights=weights,
        classifier_activation=classifier_activation,
        normalization=normalization,
        kernel_initializer=kernel_initializer,
        seed=seed,
        name=name,
    )


@documented
def paper_large(
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
    name: str | None = "paper_large",
) -> "keras.Model":
    """The paper's network for all other images (Table 1): `large` of the suite.

    The widths of its fully connected layers grow with the number of classes.

    >>> import keras_asymbp
    >>> keras_asymbp.models.paper_large("uSF").count_params()
    4889638
    """
    return make(
        TABLE_1["large"],
        feedback=feedback,
        input_shape=input_shape,
        classes=classes,
        include_top=include_top,
        weights=weights,
        classifier_activation=classifier_activation,
        normalization=normalization,
        kernel_initializer=kernel_initializer,
        seed=seed,
        name=name,
    )
