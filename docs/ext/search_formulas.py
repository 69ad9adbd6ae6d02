"""Writes formulas as plain text in the index of the search, which shows it as it is."""

import json
import pathlib
import re

from mkdocs.plugins import event_priority

_FORMULA = re.compile(r"\\\((.+?)\\\)|\\\[.+?\\\]", re.DOTALL)
_FRACTION = re.compile(r"\\d?frac\{([^{}]*)\}\{([^{}]*)\}")
_COMMAND = re.compile(r"\\([A-Za-z]+) ?")
_SYMBOLS = {
    **{"circ": "∘ ", "partial": "∂", "sum": "∑ ", "sqrt": "√", "pm": "±", "top": "ᵀ"},
    **{
        "eta": "η ",
        "kappa": "κ",
        "sigma": "\N{GREEK SMALL LETTER SIGMA}",
        "tau": "τ",
        "ln": "ln ",
    },
    **{"lvert": "|", "rvert": "|", "lVert": "‖", "rVert": "‖", "mathcal": ""},
    **dict.fromkeys(("operatorname", "text", "mathbf", "boldsymbol"), ""),
    **dict.fromkeys(("bigl", "bigr", "textstyle"), ""),
}


# After the search has written the index, before the offline plugin copies it.
@event_priority(-50)
def on_post_build(config):
    """Called by MkDocs when the site is built."""
    path = pathlib.Path(config.site_dir) / "search" / "search_index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    for entry in index["docs"]:
        entry["text"] = _FORMULA.sub(lambda f: plain(f[1] or ""), entry["text"])
    path.write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")


def plain(tex):
    """A formula of a line as text; other commands than the listed become their names.

    >>> plain(r"M \\circ \\operatorname{sign}(W)")
    'M ∘ sign(W)'
    """
    tex = _FRACTION.sub(r"\1/\2", tex)
    tex = _COMMAND.sub(lambda name: _SYMBOLS.get(name[1], f"{name[1]} "), tex)
    return re.sub(r"\\[^A-Za-z]|[{}]|\^(?=ᵀ)", "", tex)
