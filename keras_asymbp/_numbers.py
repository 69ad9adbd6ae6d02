"""Numbers as arguments: integers and real numbers, of Python or NumPy."""

import math
import numbers
import operator


def check_count(argument: str, number: object, least: int = 1) -> None:
    """Checks that an argument is an integer, of Python or NumPy, and large enough.

    Args:
        argument: The argument's name.
        number: Its value.
        least: The smallest value allowed.

    Raises:
        ValueError: If it isn't.

    >>> check_count("steps", 3)
    >>> check_count("steps", 2.5)
    Traceback (most recent call last):
    ...
    ValueError: Argument `steps` must be an integer of 1 or more. Received: steps=2.5
    """
    if not is_count(number, least):
        raise ValueError(
            f"Argument `{argument}` must be an integer of {least} or more. Received: "
            f"{argument}={number!r}"
        )


def is_count(number: object, least: int = 1) -> bool:
    """Whether an object is an integer, of Python or NumPy, and at least that."""
    if isinstance(number, bool):
        return False
    try:
        return operator.index(number) >= least  # type: ignore[arg-type]
    except TypeError:
        return False


def check_number(
    argument: str,
    number: object,
    least: float = 0,
    most: float = math.inf,
    is_open: bool = False,
) -> None:
    """Checks that an argument is a real number, of Python or NumPy, in a range.

    Args:
        argument: The argument's name.
        number: Its value.
        least: The lower bound.
        most: The largest value allowed; infinity itself is never allowed.
        is_open: Whether the lower bound itself is refused.

    Raises:
        ValueError: If it isn't.

    >>> check_number("rate", 0.5, most=1)
    >>> check_number("rate", 0, most=1, is_open=True)
    Traceback (most recent call last):
    ...
    ValueError: Argument `rate` must be a number in the range (0, 1]. Received: rate=0
    """
    if not is_number(number, least, most, is_open):
        start = "(" if is_open else "["
        end = ")" if math.isinf(most) else "]"
        raise ValueError(
            f"Argument `{argument}` must be a number in the range {start}{least}, "
            f"{most}{end}. Received: {argument}={number!r}"
        )


def is_number(
    number: object, least: float = 0, most: float = math.inf, is_open: bool = False
) -> bool:
    """Whether an object is a finite real number, of Python or NumPy, in a range."""
    if isinstance(number, bool) or not isinstance(number, numbers.Real):
        return False
    value = float(number)
    is_above = value > least if is_open else value >= least
    return is_above and value <= most and math.isfinite(value)
