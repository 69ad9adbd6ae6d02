"""CSV that a spreadsheet shows as it is: no text is a formula."""

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence

# What makes a formula of a text.
_FORMULA = tuple("=+-@")
# Whatever a spreadsheet may take for the end of a cell, in any locale.
_SEPARATORS = re.compile(r'[\s,;|"]')


def text(names: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """A table as CSV, with a heading.

    Numbers are written as they are, None as an empty cell, text as `cell` has it.

    >>> print(text(["name", "share"], [["=1+1", 0.5], ["a, b", None]]), end="")
    name,share
    '=1+1,0.5
    "a, b",
    """
    lines = (",".join(map(_written, row)) for row in (names, *rows))
    return "".join(f"{line}\n" for line in lines)


def cell(text: str) -> str:
    r"""A text that is no formula: one that might be gets an apostrophe in front.

    So does one that starts with an apostrophe: without the first, every text is what it
    was. Bytes that are not UTF-8 (surrogates) become escape sequences.

    >>> cell("=1"), cell("'a"), cell("a=1"), cell("\udcff")
    ("'=1", "''a", 'a=1', '\\udcff')
    """
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    first = text[:1]
    if first == "'" or first.isspace() or not first.isprintable():
        return "'" + text
    # Also the signs of other widths, which a Japanese spreadsheet takes for the same.
    return "'" + text if unicodedata.normalize("NFKC", first) in _FORMULA else text


def _written(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return repr(value)
    return _text(value)


@functools.lru_cache(maxsize=10_000)  # tables repeat their words
def _text(value: str) -> str:
    escaped = cell(value)
    if not _SEPARATORS.search(escaped):
        return escaped
    return '"' + escaped.replace('"', '""') + '"'
