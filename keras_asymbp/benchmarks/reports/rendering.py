"""The report templates with their filters and static files."""

import base64
import hashlib
import pathlib
import re

import jinja2

from keras_asymbp.benchmarks.reports import latex, words
from keras_asymbp.benchmarks.results import selection, verdicts

_HERE = pathlib.Path(__file__)
STATIC = _HERE.with_name("static")


def render(name: str, **context) -> str:
    """Renders the template of a report file, given by the file's name."""
    return _TEMPLATES.get_template(f"{name}.jinja").render(context)


def static(name: str) -> str:
    """The text of a style sheet or script, for embedding in an HTML element.

    Raises:
        ValueError: If the text would end the element.
    """
    text = (STATIC / name).read_text(encoding="utf-8")
    if re.search(r"</(script|style)|<!--", text, re.IGNORECASE):
        raise ValueError(f"{name} contains the end of an element")
    return text


def csp_hash(text: str) -> str:
    """The source expression for a text in a Content-Security-Policy."""
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
    signed=words.signed,
    margins=words.margins,
    limits=words.limits,
    p_value=words.p_value,
    failing=words.failing,
    summary=words.summary,
    comment=lambda text: " ".join(str(text).split()),
    tex=latex.escape,
    # One line of literal Markdown: it cannot end a cell or start HTML or a link.
    plain=lambda text: re.sub(r"([\\`*<>|\[\]])", r"\\\1", " ".join(str(text).split())),
)
_TEMPLATES.globals.update(
    static=static,
    csp_hash=csp_hash,
    zip=zip,
    bounds=words.bounds,
    mean_gain=selection.mean_gain,
    HOLDS=verdicts.HOLDS,
    FAILS=verdicts.FAILS,
    UNKNOWN=verdicts.UNKNOWN,
    RULE=words.RULE,
    MARGIN=words.MARGIN,
    COULD_FAIL=words.COULD_FAIL,
)
_TEMPLATES.policies["json.dumps_kwargs"] = {
    "separators": (",", ":"),
    "ensure_ascii": False,
    "allow_nan": False,
}
