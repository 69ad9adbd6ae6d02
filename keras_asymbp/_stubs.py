"""Writes the stubs by which type checkers and editors know what is made at import.

A layer or rule is one file, found when the package is imported (`_discover.py`), and a
model's function has the arguments that all models share (`models/base.py`): no static
tool can follow either. Run `python -m keras_asymbp._stubs` after adding one: it
rewrites `_public.pyi` in `layers/`, `feedbacks/` and `models/` with all arguments, read
from the signatures.
"""

import inspect
import pathlib
from collections.abc import Callable, Iterable

import keras

from keras_asymbp import feedbacks, layers, models

_HEADER = (
    "# Written by `python -m keras_asymbp._stubs`, with Keras {keras}; do not edit.\n"
)
# The arguments of every Keras layer, in place of a layer's `**kwargs`.
_COMMON = inspect.signature(keras.layers.Layer.__init__).parameters
_FEEDBACK = "str | dict[str, Any] | Feedback | None"
# By name, since Keras's own signatures have no types. Any other is `Any`.
_SIZE = "int | Sequence[int]"
_TYPES = {
    "activation": "str | Callable[..., Any] | None",
    "data_format": "str | None",
    "depth_multiplier": "int",
    "dilation_rate": _SIZE,
    "dropout": "float",
    "equation": "str",
    "feedback": _FEEDBACK,
    "filters": "int",
    "groups": "int",
    "kernel_size": _SIZE,
    "key_dim": "int",
    "name": "str | None",
    "num_heads": "int",
    "output_padding": f"{_SIZE} | None",
    "padding": "str",
    "strides": _SIZE,
    "units": "int",
    "value_dim": "int | None",
}


def stubs() -> dict[pathlib.Path, str]:
    """The text of each stub by its path."""
    root = pathlib.Path(__file__).parent
    version = ".".join(keras.__version__.split(".")[:2])
    return {
        root / folder / "_public.pyi": _HEADER.format(keras=version) + text
        for folder, text in (
            ("feedbacks", _lines(map(_rule, feedbacks.RULES.values()))),
            ("layers", _layers()),
            ("models", _models()),
        )
    }


def _rule(rule: Callable) -> str:
    return f"from {rule.__module__} import {rule.__name__} as {rule.__name__}"


def _layers() -> str:
    modules = _lines(f"import {c.__module__}" for c in layers.LAYERS.values())
    classes = "\n".join(map(_layer, layers.LAYERS.values()))
    return (
        "from collections.abc import Callable, Sequence\n"
        "from typing import Any\n\n"
        f"{modules}from keras_asymbp.feedbacks.base import Feedback\n\n{classes}"
    )


def _layer(layer: type) -> str:
    """The class with its arguments; its base is the class itself, for all the rest."""
    summary = inspect.cleandoc(layer.__doc__ or "").partition("\n")[0]
    arguments = "".join(f"        {line},\n" for line in _arguments(layer))
    return (
        f"class {layer.__name__}({layer.__module__}.{layer.__name__}):\n"
        f'    """{summary}"""\n\n'
        f"    def __init__(\n        self,\n{arguments}    ) -> None: ...\n"
    )


def _models() -> str:
    functions = "\n".join(_model(getattr(models, name)) for name in models.__all__)
    return (
        "import collections.abc\n"
        "import os\n"
        "from typing import Any\n\n"
        f"import keras\n\n{functions}"
    )


def _model(function: Callable) -> str:
    summary = inspect.cleandoc(function.__doc__ or "").partition("\n")[0]
    parameters = inspect.signature(function).parameters.values()
    arguments = "".join(f"    {line},\n" for line in _lines_of(parameters))
    return (
        f'def {function.__name__}(\n{arguments}) -> keras.Model:\n    """{summary}"""\n'
    )


def _arguments(layer: type) -> list[str]:
    """The layer's arguments with types and defaults, a line for each."""
    parameters = dict(inspect.signature(layer).parameters)
    for name, parameter in _COMMON.items():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            parameters.setdefault(name, parameter)
    return _lines_of(parameters.values())


def _lines_of(parameters: Iterable[inspect.Parameter]) -> list[str]:
    lines: list[str] = []
    for parameter in parameters:
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY and "*" not in lines:
                lines.append("*")
            lines.append(f"{parameter.name}: {_type(parameter)}{_default(parameter)}")
    return lines


def _type(parameter: inspect.Parameter) -> str:
    if parameter.annotation is not parameter.empty:
        return inspect.formatannotation(parameter.annotation)
    if isinstance(parameter.default, bool):
        return "bool"
    return _TYPES.get(parameter.name, "Any")


def _default(parameter: inspect.Parameter) -> str:
    if parameter.default is inspect.Parameter.empty:
        return ""
    if isinstance(parameter.default, str):
        return f' = "{parameter.default}"'
    return f" = {parameter.default!r}"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in sorted(lines))


if __name__ == "__main__":
    for _path, _text in stubs().items():
        _path.write_text(_text, encoding="utf-8")
