"""Shows the doctests of docstrings as code: Markdown reads `>>>` as a quotation."""

import re

import griffe

_DOCTEST = re.compile(r"^>>> .+(?:\n.+)*", re.MULTILINE)


class Doctests(griffe.Extension):
    """Fences every doctest outside an `Examples` section."""

    def on_instance(self, *, obj, **kwargs):
        if obj.docstring:
            obj.docstring.value = _DOCTEST.sub(
                lambda doctest: f"```pycon\n{doctest[0]}\n```", obj.docstring.value
            )
