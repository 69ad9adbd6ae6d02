"""Values of flags, checked."""

from collections.abc import Iterable
from typing import Any

from absl import flags

from keras_asymbp.benchmarks.commands.flags.parsers import MOST
from keras_asymbp.benchmarks.errors import UsageError


def at_least_one(flag: flags.FlagHolder) -> int:
    if flag.value < 1:
        raise UsageError(f"--{flag.name} must be 1 or more, not {flag.value}")
    return flag.value


def distinct(values: Iterable[Any]) -> tuple[Any, ...]:
    """The values as a tuple, each once, in their order."""
    return tuple(dict.fromkeys(values))


def integer(kind: str, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= MOST:
        raise UsageError(f"{kind} '{text}' must be an integer of 0 or more, below 2^31")
    return number


def learning_rates(texts: Iterable[str]) -> tuple[float, ...]:
    """The values of --learning_rates as numbers, each once."""
    return distinct(map(_rate, texts))


def _rate(text):
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 < rate < float("inf"):
        raise UsageError(f"learning rate '{text}' must be a number above 0")
    return rate
