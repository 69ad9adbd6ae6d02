"""Shows what is made at import as `help()` does: signatures and docstrings.

A layer's file doesn't list the arguments that it shares with its Keras twin, nor a
model's those that it shares with all models.
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
    """Replaces docstring and signature of each object that completes its own."""

    def on_instance(self, *, obj, **kwargs):
        if (obj.is_class or obj.is_function) and obj.docstring:
            found = _imported(obj)
            if found is not None:
                obj.docstring.value = _for_griffe(inspect.getdoc(found))

    def on_class_members(self, *, cls, **kwargs):
        found = _imported(cls)
        if found is not None:
            cls.set_member("__init__", _constructor(inspect.signature(found)))

    def on_function_instance(self, *, func, **kwargs):
        found = _imported(func)
        if found is not None:
            signature = inspect.signature(found)
            func.parameters = griffe.Parameters(*_parameters(signature))
            func.returns = signature.return_annotation


def _imported(obj):
    """The class or the module's function, if it completes its signature at import."""
    if obj.path.startswith("keras_asymbp.benchmarks") or not obj.parent.is_module:
        return None
    found = getattr(importlib.import_module(obj.module.path), obj.name, None)
    return found if hasattr(found, "__signature__") else None


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
    parameters = griffe.Parameters(me, *_parameters(signature))
    return griffe.Function("__init__", parameters=parameters)


def _parameters(signature):
    return [
        griffe.Parameter(
            parameter.name,
            kind=griffe.ParameterKind(parameter.kind.description),
            default=_default(parameter),
            annotation=_annotation(parameter),
        )
        for parameter in signature.parameters.values()
    ]


def _annotation(parameter):
    if parameter.annotation is parameter.empty:
        return None
    return inspect.formatannotation(parameter.annotation)


def _default(parameter):
    value = parameter.default
    if value is parameter.empty:
        return None
    return f'"{value}"' if isinstance(value, str) else repr(value)
