"""Quoting for a shell: a command stays one line of text, whatever its words are."""

import os
import shlex
from collections.abc import Iterable


def join(words: Iterable[str]) -> str:
    r"""A command line; words that cannot be printed are in `$'...'`.

    >>> print(join(["python", "a b", "a\nb", "\udcff"]))
    python 'a b' $'a\012b' $'\377'
    """
    return " ".join(map(quote, words))


def quote(word: str) -> str:
    """A word as POSIX shells read it, or, if it cannot be printed, as Bash does."""
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(map(_quoted, word)) + "'"


def _quoted(character: str) -> str:
    if character in "\\'":
        return "\\" + character
    if character.isprintable():
        return character
    try:
        bytes_ = os.fsencode(character)
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        bytes_ = character.encode("utf-8", "surrogatepass")
    return "".join(f"\\{byte:03o}" for byte in bytes_)
