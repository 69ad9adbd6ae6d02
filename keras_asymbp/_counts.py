"""Numbers of things as arguments."""

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
