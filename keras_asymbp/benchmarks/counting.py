"""Numbers of things, in words."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun.

    Args:
        number: The number.
        noun: The noun in the singular.
        plural: Its plural, unless that ends in a mere s.

    >>> counted(1, "process", "processes"), counted(2, "process", "processes")
    ('1 process', '2 processes')
    """
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
