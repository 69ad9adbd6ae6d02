"""Fully connected networks."""

from collections.abc import Iterable, Sequence

from keras_asymbp._numbers import is_count
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
    units = tuple(hidden_units) if isinstance(hidden_units, Iterable) else None
    if units is None or not all(map(is_count, units)):
        raise ValueError(
            "Argument `hidden_units` must be a sequence of integers of 1 or more, the "
            f"units of each hidden layer. Received: hidden_units={hidden_units!r}"
        )
    return Network(TIMIT.input_shape, tuple(FC(int(each)) for each in units))
