"""The checks by name. Adds check, layer and rule to failure messages."""

import contextlib
import functools
from collections.abc import Callable, Iterable
from typing import Any

import keras

from keras_asymbp.testing.cases import Case
from keras_asymbp.testing.tools import new_rule, rule_name

CHECKS: dict[str, Callable[[Case, Any], None]] = {}
JOINT_CHECKS: dict[str, Callable[[Iterable[tuple[Case, Any]]], None]] = {}


def check(function):
    """Registers a check in `CHECKS` and adds its context to failures."""
    name = function.__name__.removeprefix("check_")

    @functools.wraps(function)
    def check(case, rule):
        with blaming(name, case, rule):
            function(case, rule)

    CHECKS[name] = check
    return check


def check_on(backend):
    """Returns `check` on this backend of Keras, on others what registers nothing."""
    return check if keras.backend.backend() == backend else lambda function: function


def joint_check(function):
    """Registers a check of many pairs of layer and rule in `JOINT_CHECKS`."""
    JOINT_CHECKS[function.__name__.removeprefix("check_")] = function
    return function


@contextlib.contextmanager
def blaming(check, case, *rules):
    """Turns an error into an AssertionError with check, layer and rules."""
    try:
        with contextlib.ExitStack() as scopes:
            for rule in rules:
                made = type(new_rule(rule))
                scopes.enter_context(
                    keras.saving.custom_object_scope({made.__name__: made})
                )
            yield
    except Exception as error:
        message = str(error)
        if not isinstance(error, AssertionError):
            message = f"{type(error).__name__}: {message}"
        names = ", ".join(map(rule_name, rules))
        raise AssertionError(
            f"Check '{check}' of {case.layer} with {names}: {message.strip()}"
        ) from error
