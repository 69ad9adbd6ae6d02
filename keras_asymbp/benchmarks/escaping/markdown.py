"""Escaping for Markdown: names stay text, in a paragraph, a list and a table."""

import re
from collections.abc import Iterable, Sequence

from keras_asymbp.benchmarks.escaping.printable import one_line

# All renderers know these escapes; Python-Markdown knows few backslashes. Signs that
# mean nothing where they stand are kept: the files stay readable.
_ESCAPES = (
    (r"([\\`*\[\]{}])", r"\\\1"),
    # Emphasis, but not within a word: mnist_5k
    (r"(?<![^\W_])_|_(?![^\W_])", r"\\_"),
    # Entities and tags.
    (r"&(?=[#\w]|$)", "&amp;"),
    (r"<(?! )", "&lt;"),
    (r"\|", "&#124;"),
    # Strikethrough and formulas, on GitHub; addresses, which it makes links.
    (r"~", "&#126;"),
    (r"\$", "&#36;"),
    (r":(?=//)", "&#58;"),
    (r"(?i)(?<=www)\.", "&#46;"),
    # Headings, which also end in #.
    (r"(^ ?| )#", r"\1\\#"),
    # Quotations, lists, lines; but neither -1 nor 0.5
    (r"^( ?)>", r"\1&gt;"),
    (r"^( ?)([-+])(?!\d)", r"\1\\\2"),
    (r"^( ?)=", r"\1&#61;"),
    (r"^( ?):", r"\1&#58;"),
    (r"^( ?\d+)([.)])(?= |$)", r"\1\\\2"),
)
# What none of them matches, as most cells of a table are.
_INERT = re.compile(r"[a-zA-Z][a-zA-Z0-9 ,/%()]*|\d+(\.\d+)?")
_PLAIN = re.compile(r"[\w .,:/+%()-]*")


def escape(text: object) -> str:
    r"""Escapes text for Markdown, as one line.

    >>> print(escape("mnist_5k <b> [x](y) a|b"))
    mnist_5k &lt;b> \[x\](y) a&#124;b
    """
    line = one_line(text)
    if _INERT.fullmatch(line):
        return line
    for pattern, replacement in _ESCAPES:
        line = re.sub(pattern, replacement, line)
    return line


def code(text: object) -> str:
    """A name as code, if it is plain; otherwise as escaped text.

    >>> code("mnist_5k"), code("a`b")
    ('`mnist_5k`', 'a\\\\`b')
    """
    line = one_line(text).strip()
    return f"`{line}`" if line and _PLAIN.fullmatch(line) else escape(line)


def row(cells: Iterable[object]) -> str:
    """A row of a table; a cell that is Markdown is a `markupsafe.Markup`.

    >>> import markupsafe
    >>> row(["uSF", "a|b", 1, markupsafe.Markup("**no**")])
    '| uSF | a&#124;b | 1 | **no** |'
    """
    texts = (cell if hasattr(cell, "__html__") else escape(cell) for cell in cells)
    return "|" + "".join(f" {text} |" if text else " |" for text in texts)


def table(
    titles: Sequence[object],
    rows: Iterable[Iterable[object]],
    alignment: str | None = None,
) -> str:
    """A table; see `row` for its cells.

    Args:
        titles: Those of the columns.
        rows: The cells of each row.
        alignment: "l" or "r" for each column; None for "l" and then "r", for figures.

    >>> print(table(["rule", "error, %"], [["uSF", 2.1]]))
    | rule | error, % |
    |:--|--:|
    | uSF | 2.1 |
    """
    alignment = alignment or "l" + "r" * (len(titles) - 1)
    marks = (_MARKS[side] for side, _ in zip(alignment, titles, strict=True))
    return "\n".join((row(titles), f"|{'|'.join(marks)}|", *map(row, rows)))


_MARKS = {"l": ":--", "r": "--:"}
