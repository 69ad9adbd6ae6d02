"""The templates of the reports, and what they are filled by."""

import base64
import hashlib
import pathlib
import re

import jinja2

from keras_asymbp.benchmarks.reports import latex, words
from keras_asymbp.benchmarks.results import claims

_HERE = pathlib.Path(__file__)
_STATIC = _HERE.with_name("static")


def render(name: str, **context) -> str:
    """The text of a template, by the name of the file that it makes."""
    return _TEMPLATES.get_template(f"{name}.jinja").render(context)


def static(name: str) -> str:
    """The text of a style sheet or a script, to stand inside an HTML element.

    Raises:
        ValueError: If it contains the end of one.
    """
    text = (_STATIC / name).read_text(encoding="utf-8")
    if re.search(r"</(script|style)|<!--", text, re.IGNORECASE):
        raise ValueError(f"{name} has the end of an element in it")
    return text


def csp_hash(text: str) -> str:
    """The name of the element with this text in a Content-Security-Policy."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_HERE.with_name("templates")),
    autoescape=lambda name: "html" in (name or ""),
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
_TEMPLATES.filters.update(
    interval=words.interval,
    changes=words.changes,
    ours=words.ours,
    paper=words.paper,
    comment=lambda text: " ".join(str(text).split()),
    tex=latex.escape,
    # One line of plain text in Markdown: no cell ends in it, no HTML or link begins.
    plain=lambda text: re.sub(r"([\\`*<>|\[\]])", r"\\\1", " ".join(str(text).split())),
)
_TEMPLATES.globals.update(
    static=static,
    csp_hash=csp_hash,
    zip=zip,
    HOLDS=claims.HOLDS,
    UNKNOWN=claims.UNKNOWN,
)
_TEMPLATES.policies["json.dumps_kwargs"] = {
    "separators": (",", ":"),
    "ensure_ascii": False,
    "allow_nan": False,
}
