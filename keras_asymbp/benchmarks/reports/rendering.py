"""The report templates with their escapes, filters and static files."""

import base64
import functools
import hashlib
import pathlib
import re

import jinja2
import markupsafe

from keras_asymbp.benchmarks.counting import counted
from keras_asymbp.benchmarks.escaping import latex, links, markdown
from keras_asymbp.benchmarks.escaping.printable import one_line, printable
from keras_asymbp.benchmarks.reports import words
from keras_asymbp.benchmarks.results import selection, verdicts
from keras_asymbp.benchmarks.tables import labels

_HERE = pathlib.Path(__file__)
STATIC = _HERE.with_name("static")
# The files of the page's script: what others read while they load comes first.
SCRIPTS = (
    *("base", "marks", "charts", "finding"),
    *("agreement", "signs", "rates", "curves", "alignment", "times", "menus"),
    *("sorting", "tip", "copying", "filter", "trials", "printing"),
    *("table_files", "svg", "saving", "main"),
)


def render(name: str, **context) -> str:
    """Renders the template of a report file, given by the file's name."""
    environment = _ENVIRONMENTS[name.rpartition(".")[2]]
    return environment.get_template(f"{name}.jinja").render(context)


def static(name: str) -> str:
    """The text of a style sheet or script, for embedding in an HTML element.

    Raises:
        ValueError: If the text would end the element.
    """
    text = (STATIC / name).read_text(encoding="utf-8")
    if re.search(r"</(script|style)|<!--", text, re.IGNORECASE):
        raise ValueError(f"{name} contains the end of an element")
    return text


def scripts() -> str:
    """Our scripts as one, in a scope of their own."""
    names = [f"scripts/{name}.js" for name in SCRIPTS]
    parts = (f"// {name}\n{static(name)}" for name in names)
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def csp_hash(text: str) -> str:
    """The source expression for a text in a Content-Security-Policy."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _environment(escape, **options):
    """An environment whose templates write every value through the format's escape.

    Markup is left as it is: a template marks what is no one's text with `safe`.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE.with_name("templates")),
        finalize=_finalize(escape),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        **options,
    )
    environment.filters.update(
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
        by_verdict=words.by_verdict,
        basis=words.basis,
        agreement=words.agreement,
        seeds=labels.seeds,
        code=_markup(markdown.code),
        counted=counted,
        command=printable,
        comment=_markup(latex.comment),
        link=_markup(links.to_file),
        one_line=one_line,
    )
    environment.globals.update(
        static=static,
        scripts=scripts,
        csp_hash=csp_hash,
        zip=zip,
        bounds=words.bounds,
        titles=words.titles,
        mean_gain=selection.mean_gain,
        HOLDS=verdicts.HOLDS,
        FAILS=verdicts.FAILS,
        UNKNOWN=verdicts.UNKNOWN,
        RULE=words.RULE,
        MARGIN=words.MARGIN,
        COULD_FAIL=words.COULD_FAIL,
    )
    environment.policies["json.dumps_kwargs"] = {
        "separators": (",", ":"),
        "ensure_ascii": False,
        "allow_nan": False,
    }
    return environment


def _finalize(escape):
    of_plain = functools.lru_cache(maxsize=10_000)(escape)  # tables repeat their words

    def finalize(value):
        if type(value) in (str, int):
            return of_plain(value)
        if type(value) is jinja2.Undefined:  # of a condition without `else`
            return ""
        return value if hasattr(value, "__html__") else escape(value)

    return finalize


def _markup(escape):
    return lambda text: markupsafe.Markup(escape(text))


def _html(value):
    return markupsafe.escape(one_line(value))


# By the ending of a file's name.
_ENVIRONMENTS = {
    "html": _environment(_html, autoescape=True),
    "md": _environment(markdown.escape),
    "tex": _environment(latex.escape),
}
