"""AlexNet."""

import os
from typing import TYPE_CHECKING, Any

from keras_asymbp.models.base import documented, make
from keras_asymbp.models.rows import FC, Conv, Dropout, Network, Pad, Pool

if TYPE_CHECKING:
    import keras

# torchvision's.
ALEXNET = Network(
    (224, 224, 3),
    (
        *(Pad(2), Conv(64, 11, stride=4), Pool("max", 3)),
        *(Pad(2), Conv(192, 5), Pool("max", 3)),
        *(Pad(1), Conv(384, 3), Pad(1), Conv(256, 3), Pad(1), Conv(256, 3)),
        *(Pool("max", 3), Dropout(0.5), FC(4096), Dropout(0.5), FC(4096)),
    ),
)


@documented
def alexnet(
    feedback: Any = "uSF",
    *,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 1000,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = "alexnet",
) -> "keras.Model":
    """AlexNet for one processor, as torchvision has it: `alexnet` of the suite.

    Source: Krizhevsky, "One Weird Trick for Parallelizing Convolutional Neural
    Networks", 2014.

    >>> import keras_asymbp
    >>> model = keras_asymbp.models.alexnet("uSF", input_shape=(64, 64, 3))
    >>> model.count_params()
    24400680
    """
    return make(
        ALEXNET,
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
