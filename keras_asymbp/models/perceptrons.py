"""Fully connected networks."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from keras_asymbp.models.base import documented, make
from keras_asymbp.models.rows import FC, Network

if TYPE_CHECKING:
    import keras

# Of Table 1, for frames of speech.
TIMIT = Network((1845,), (FC(512), FC(256)))


@documented
def mlp(
    feedback: Any = "uSF",
    *,
    hidden_units: Sequence[int] = (512, 256),
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = "mlp",
) -> "keras.Model":
    """A fully connected network; inputs of higher rank are flattened.

    With its defaults but for 80 classes, it is the paper's network for TIMIT (Table 1),
    `timit` of the suite. `hidden_units` has the units of the hidden layers, bottom
    first.

    >>> import keras_asymbp
    >>> keras_asymbp.models.mlp("uSF", classes=80).count_params()
    1097040
    """
    return make(
        Network(TIMIT.input_shape, tuple(map(FC, hidden_units))),
        feedback=feedback,
        input_shape=input_shape,
        classes=classes,
        weights=weights,
        classifier_activation=classifier_activation,
        normalization=normalization,
        kernel_initializer=kernel_initializer,
        seed=seed,
        name=name,
    )
