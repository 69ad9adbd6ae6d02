"""The feedback rules by name, read from their files.

Importing a rule imports Keras, and a table is checked before a backend is chosen.
"""

import ast
import dataclasses
import functools
import pathlib
from typing import Literal

import keras_asymbp

_FOLDER = pathlib.Path(keras_asymbp.__file__).with_name("feedbacks")
# Not rules of single layers, but a model's: the `signal` of `direct_feedback`.
DIRECT: dict[str, Literal["error", "target"]] = {"DFA": "error", "DRTP": "target"}


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule as a column names it.

    Attributes:
        flips: Whether it takes a flip probability.
        scales: Whether it takes a scale.
    """

    flips: bool = False
    scales: bool = False


@functools.cache
def rules() -> dict[str, Rule]:
    """The rules by alias, or by the class's name if it has none.

    >>> rules()["brSF"], rules()["BP"].scales
    (Rule(flips=True, scales=True), False)
    """
    classes = {
        node.name: node
        for path in sorted(_FOLDER.glob("*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    }

    def bases(name):
        if name not in classes:
            return set()
        inner = {base.id for base in classes[name].bases if isinstance(base, ast.Name)}
        return inner.union(*map(bases, inner))

    found = {
        _alias(node) or name: Rule("RandomSignConcordant" in of, "SignConcordant" in of)
        for name, node in classes.items()
        for of in [bases(name)]
        if "Feedback" in of and (_alias(node) or _has_v(node))
    }
    return {**found, **dict.fromkeys(DIRECT, Rule())}


def _alias(node):
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name("alias")], value=ast.Constant(value)):
                return value
    return None


def _has_v(node):
    """Whether a class defines its V; bases of several rules do not."""
    return any(
        isinstance(statement, ast.FunctionDef) and statement.name == "call"
        for statement in node.body
    )
