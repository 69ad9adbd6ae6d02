"""Both files define the same names; only one of them runs here."""

import ast
import inspect
import pathlib

import pytest

from keras_asymbp import backend

NAMES = [
    name
    for name, value in vars(backend).items()
    if not name.startswith("_") and not inspect.ismodule(value)
]


@pytest.mark.parametrize("name", ["tensorflow", "jax"])
def test_each_file_defines_every_name_and_no_other(name):
    path = pathlib.Path(backend.__file__).with_name(f"{name}.py")
    code = ast.parse(path.read_text(encoding="utf-8"))
    defined = [target for node in code.body for target in _targets(node)]
    assert sorted(each for each in defined if each[0] != "_") == sorted(NAMES)


def _targets(node):
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    return [each.id for each in getattr(node, "targets", [])]
