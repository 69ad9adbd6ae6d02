r"""Escaping for LaTeX: a user's names must stay text."""

from keras_asymbp.benchmarks.escaping.printable import one_line

_COMMANDS = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': r"\textquotedbl{}",
    # Avoids ligatures: the two hyphens of a flag must not become a dash.
    "-": "-{}",
    "'": r"\textquotesingle{}",
    # After a row of a table these are an argument of its end.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "▲": r"$\uparrow$",
    "▼": r"$\downarrow$",
    "±": r"$\pm$",
}
# Latin-1 letters available in every font encoding.
_LETTERS = {chr(code) for code in range(0xC0, 0x100)} - set("\xd7\xf7ÐðÞþ")


def escape(text: object) -> str:
    r"""Escapes text for LaTeX, as one line.

    Characters that LaTeX may lack become question marks.

    >>> print(escape("a_b & 50%"))
    a\_b \& 50\%
    """
    escaped = "".join(
        _COMMANDS.get(c, c if " " <= c <= "}" or c in _LETTERS else "?")
        for c in one_line(text)
    )
    return escaped.replace(",,", ",{},").replace(",,", ",{},")  # a quotation mark in T1


def comment(text: object) -> str:
    """The text of a comment, which ends with its line."""
    return one_line(text)
