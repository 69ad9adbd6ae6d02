"""The contract of rules and layers as checks, for your own rules and for our tests.

`check_feedback(rule)` runs a rule through every check on every layer. A check is a
function of a layer's case and a rule, or of many such pairs if they can share slow
steps, and raises AssertionError. A new layer is one line in `cases.py`; a new check is
one function. The references of all checks consist of stock Keras layers only.
"""

from collections.abc import Iterable

import keras

from keras_asymbp.testing import layer_checks  # noqa: F401, for CHECKS
from keras_asymbp.testing.cases import CASES, Case
from keras_asymbp.testing.processors import two_cpus, use_two_cpus
from keras_asymbp.testing.registry import CHECKS, JOINT_CHECKS

if keras.backend.backend() == "jax":
    from keras_asymbp.testing import jax_checks  # noqa: F401
else:
    from keras_asymbp.testing import tensorflow_checks  # noqa: F401

from keras_asymbp.testing import (  # noqa: F401
    joint_checks,
    model_checks,
    twin_checks,
)

if keras.backend.backend() == "tensorflow":
    from keras_asymbp.testing import replicas  # noqa: F401

__all__ = [
    "CASES",
    "CHECKS",
    "JOINT_CHECKS",
    "Case",
    "check_feedback",
    "use_two_cpus",
]


def check_feedback(rule, layers=None, checks=None) -> list[str]:
    """Runs a feedback rule through the contract on the layers.

    The gradients of each layer must be those of the stock Keras layer, with V instead
    of W where the error travels to the inputs:

        dE/dX = the gradient in X of product(X, V), for the error dE/dY   (eq. 2)

    and everything that Keras does with a model must work with the rule: copying, saving
    in the middle of training, exporting, mixed precision, graphs and XLA. The layers
    are tiny. Keras's global seed is set.

    Args:
        rule (Feedback | Callable | type | str | dict): A `Feedback` (which is copied
            through its config, and not changed), a function without arguments or a
            class that makes one, a name, or a config.
        layers (list[str] | None): Names of layers, such as `["AsymDense"]`; by default
            all of `CASES`.
        checks (list[str] | None): Names of checks; by default all of `CHECKS` and
            `JOINT_CHECKS`, but `"replicas"`, which needs two processors, only after
            `use_two_cpus`.

    Returns:
        The names of the checks that ran.

    Raises:
        AssertionError: If the rule fails a check: the message names the check, the
            layer and the difference.
        ValueError: If a layer or check is unknown.

    >>> import keras_asymbp.testing
    >>> class Halved(keras_asymbp.feedbacks.Feedback):
    ...     def call(self, kernel):
    ...         return 0.5 * kernel
    >>> keras_asymbp.testing.check_feedback(Halved(), layers=["AsymDense"])
    ['config', 'shapes', 'repeatable', ...]

    Source: equations 1 and 2, section 2, Liao et al. 2016.
    """
    every_check = {**CHECKS, **JOINT_CHECKS}
    cases = [
        CASES[name]
        for name in _known("layers", list(CASES) if layers is None else layers, CASES)
    ]
    if checks is None:
        checks = [
            name for name in every_check if name != "replicas" or len(two_cpus()) == 2
        ]
    for name in _known("checks", checks, every_check):
        if name in CHECKS:
            for case in cases:
                CHECKS[name](case, rule)
        else:
            JOINT_CHECKS[name]([(case, rule) for case in cases])
    return list(checks)


def _known(argument, names, known):
    is_list = isinstance(names, Iterable) and not isinstance(names, str)
    if not is_list or not all(name in list(known) for name in names):
        raise ValueError(
            f"Argument `{argument}` must be a list of names, each one of "
            f"{', '.join(known)}. Received: {argument}={names!r}"
        )
    return list(names)
