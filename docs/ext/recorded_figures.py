"""Figures in the text of a page, computed from the trials of recorded folders.

A page with `figures: true` at its top is a Jinja template. Its text has figures such as
`{{ error("quick-cifar10", "SGD") }}`, and tables such as
`{{ verdicts(["quick-cifar10"]) }}`; the functions are the public methods of `Figures`.
A name that does not exist stops the build.
"""

import functools

import templates
from recorded_claims import Claims
from recorded_errors import Errors
from recorded_folders import RESULTS
from recorded_layers import Layers
from recorded_readings import Readings


def on_page_markdown(markdown, page, **kwargs):
    """Called by MkDocs with the text of each page."""
    if not page.meta.get("figures"):
        return markdown
    return _recorded().fill(markdown)


@functools.cache  # pages share folders, and `mkdocs serve` builds after every change
def _recorded():
    return Figures(RESULTS)


class Figures(Errors, Claims, Layers, Readings):
    """The figures that a page can ask for."""

    def fill(self, text):
        """A template's text with its figures."""
        names = (name for name in dir(self) if not name.startswith("_"))
        return templates.fill(text, {name: getattr(self, name) for name in names})
