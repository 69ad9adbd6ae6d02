"""Escaping for the terminal, and for everything that people read."""

import re


def printable(text: object) -> str:
    r"""Replaces what is not printable by its escape sequence.

    Control characters can command a terminal, direction marks reorder a line, and bytes
    that are not UTF-8 (surrogates) cannot be written.

    >>> print(printable("\x1b[31m a\nb \u202e \udcff"))
    \x1b[31m a\nb \u202e \udcff
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _sequence(c) for c in text)


def one_line(text: object) -> str:
    r"""The text as one printable line; line breaks become spaces.

    >>> one_line("out of\n  memory\a")
    'out of memory\\x07'
    """
    text = str(text)
    if text.isprintable() and "  " not in text:  # as nearly all are
        return text
    return printable(re.sub(r"\s+", " ", text))


def _sequence(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
