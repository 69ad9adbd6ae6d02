r"""Text for LaTeX, where a user's names must stay text."""

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
    # Ligatures: two hyphens are no dash, and an option is meant to be typed.
    "-": "-{}",
    "'": r"\textquotesingle{}",
    "▲": r"$\uparrow$",
    "▼": r"$\downarrow$",
    "±": r"$\pm$",
}
# The letters of Latin-1 that every font encoding has.
_LETTERS = {chr(code) for code in range(0xC0, 0x100)} - set("\xd7\xf7ÐðÞþ")


def escape(text: object) -> str:
    r"""Text in one line in which no sign has a meaning to LaTeX.

    A sign that LaTeX may lack becomes a question mark.

    >>> print(escape("a_b & 50%"))
    a\_b \& 50\%
    """
    line = " ".join(str(text).split())
    return "".join(
        _COMMANDS.get(c, c if " " <= c <= "}" or c in _LETTERS else "?") for c in line
    )
