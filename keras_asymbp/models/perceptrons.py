"""Fully connected networks."""

from collections.abc import Sequence

from keras_asymbp.models.base import builds
from keras_asymbp.models.rows import FC, Network

# Of Table 1, for frames of speech.
TIMIT = Network((1845,), (FC(512), FC(256)))


@builds(without=("include_top",))
def mlp(hidden_units: Sequence[int] = (512, 256)) -> Network:
    """A fully connected network; inputs of higher rank are flattened.

    With its defaults but for 80 classes, it is the paper's network for TIMIT (Table 1),
    `timit` of the suite. `hidden_units` has the units of the hidden layers, bottom
    first.

    >>> import keras_asymbp
    >>> keras_asymbp.models.mlp("uSF", classes=80).count_params()
    1097040
    """
    return Network(TIMIT.input_shape, tuple(map(FC, hidden_units)))
