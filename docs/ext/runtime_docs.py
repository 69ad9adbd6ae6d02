"""Shows classes as `help()` does: their signatures and docstrings are made at import.

A layer's file doesn't list the arguments that it shares with its Keras twin.
"""

import importlib
import inspect
import re

import griffe

# The templates show the defaults, which `help()` has in the text.
_DEFAULT = re.compile(r"\s+Defaults\s+to\s+`[^`]*`\.(?=\n|$)")
# griffe knows neither section: the first has arguments, the others have text.
_CALL = re.compile(r"^Call arguments:$", re.MULTILINE)
_SHAPE = re.compile(r"^((?:In|Out)put shape):\n((?:    .*\n)+)", re.MULTILINE)


class RuntimeDocs(griffe.Extension):
    """Replaces the docstring and the signature of each class that completes its own."""

    def on_instance(self, *, obj, **kwargs):
        if obj.is_class and obj.docstring:
            cls = _imported(obj)
            if cls is not None:
                obj.docstring.value = _for_griffe(inspect.getdoc(cls))

    def on_class_members(self, *, cls, **kwargs):
        found = _imported(cls)
        if found is not None:
            cls.set_member("__init__", _constructor(inspect.signature(found)))


def _imported(obj):
    """The class, if it completes its signature at import."""
    if obj.path.startswith("keras_asymbp.benchmarks"):
        return None
    cls = getattr(importlib.import_module(obj.module.path), obj.name, None)
    if not inspect.isclass(cls):
        return None
    return cls if hasattr(cls, "__signature__") else None


def _for_griffe(docstring):
    docstring = _CALL.sub("Other Parameters: Call arguments:", docstring)
    docstring = _SHAPE.sub(
        lambda found: (
            f'<span class="doc-section-title">{found[1]}:</span>\n\n'
            + inspect.cleandoc(found[2])
            + "\n"
        ),
        docstring,
    )
    return _DEFAULT.sub("", docstring)


def _constructor(signature):
    me = griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)
    parameters = [
        griffe.Parameter(
            parameter.name,
            kind=griffe.ParameterKind(parameter.kind.description),
            default=_default(parameter),
        )
        for parameter in signature.parameters.values()
    ]
    return griffe.Function("__init__", parameters=griffe.Parameters(me, *parameters))


def _default(parameter):
    value = parameter.default
    if value is parameter.empty:
        return None
    return f'"{value}"' if isinstance(value, str) else repr(value)
