"""`help()` has every argument of our classes: its name, type, default and meaning."""

import inspect
import re

import keras
import pytest

import keras_asymbp
from keras_asymbp import _arguments, callbacks, error_routes, feedbacks
from keras_asymbp.layers import LAYERS, AsymmetricLayer
from keras_asymbp.testing import CASES

COMPLETED = [
    *LAYERS.values(),
    feedbacks.Feedback,
    *feedbacks.RULES.values(),
    error_routes.DirectFeedback,
    error_routes.StopError,
    keras_asymbp.BatchManhattan,
    keras_asymbp.BatchNormalization,
]
CALLBACKS = [
    value
    for value in vars(callbacks).values()
    if inspect.isclass(value) and issubclass(value, keras.callbacks.Callback)
]
by_name = {"ids": lambda cls: cls.__name__}


def section(cls, title):
    """The entries of a section of a docstring: type and text, by name."""
    found = re.search(
        rf"^{title}:\n((?:(?:    .*)?\n)+)", inspect.getdoc(cls) + "\n", re.MULTILINE
    )
    entries = re.split(r"^    (?=\S)", found[1], flags=re.MULTILINE)[1:]
    parsed = [re.fullmatch(r"(\w+) \((.+?)\): (.+)", e, re.DOTALL) for e in entries]
    assert all(parsed), entries
    return {entry[1]: (entry[2], " ".join(entry[3].split())) for entry in parsed}


@pytest.mark.parametrize("cls", [*COMPLETED, *CALLBACKS], **by_name)
def test_every_argument_is_described(cls):
    signature = inspect.signature(cls).parameters
    kinds = {parameter.kind for parameter in signature.values()}
    assert not kinds & {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
    if not signature:
        return
    described = section(cls, "Args")
    assert list(described) == list(signature)
    for name, (kind, text) in described.items():
        default = signature[name].default
        assert len(text) > 8
        assert not re.search(r"As in|An argument of Keras|keras\.layers\.", text)
        if default is None:
            assert kind.endswith("| None"), name
        if cls in COMPLETED and default is not inspect.Parameter.empty:
            (shown,) = re.findall(r"Defaults to `(.+)`\.$", text)
            assert shown.strip('"') == str(default)


@pytest.mark.parametrize("name", LAYERS)
def test_every_argument_is_accepted(name):
    arguments = {
        parameter.name: parameter.default
        for parameter in inspect.signature(LAYERS[name]).parameters.values()
        if parameter.default is not inspect.Parameter.empty
    }
    layer = LAYERS[name](**arguments | CASES[name].arguments)
    layer(*[keras.ops.ones((2, *CASES[name].shape))] * CASES[name].inputs)
    document = inspect.getdoc(LAYERS[name])
    assert "Output shape:" in document
    assert "Input shape:" in document or "Call arguments:" in document
    if "Attributes:" in document:
        for attribute in section(LAYERS[name], "Attributes"):
            assert hasattr(layer, attribute)


def test_the_optimizer_accepts_every_argument():
    signature = inspect.signature(keras_asymbp.BatchManhattan).parameters.values()
    optimizer = keras_asymbp.BatchManhattan(**{p.name: p.default for p in signature})
    assert optimizer.name == "batch_manhattan"


def test_a_later_argument_of_keras_keeps_its_description():
    class Later(keras.layers.Dense):
        """A layer.

        Args:
            units: A number.
            tilt: Angle of
                the layer.
        """

        def __init__(self, units, tilt=0.5, **kwargs):
            super().__init__(units, **kwargs)

    class AsymLater(AsymmetricLayer, Later):
        """Ours.

        >>> 1
        1
        """

    document = inspect.getdoc(AsymLater)
    assert document.startswith("Ours.\n\nArgs:\n    units (int): Number of units")
    assert "    tilt: Angle of the layer. Defaults to `0.5`.\n" in document
    assert document.endswith("\n\n>>> 1\n1")


def test_a_description_of_ours_comes_before_the_shared_one():
    def function(padding="same"): ...

    text = _arguments.described(
        "Does.\n\nArgs:\n    padding (str): Ours.\n\nRaises:\n    None.",
        inspect.signature(function),
    )
    ours = '    padding (str): Ours. Defaults to `"same"`.'
    assert text == f"Does.\n\nArgs:\n{ours}\n\nRaises:\n    None.\n"


def test_a_constructor_of_a_subclass_keeps_its_own_signature():
    class Dense(keras_asymbp.AsymDense):
        def __init__(self, width):
            super().__init__(width)

    class Rule(feedbacks.FixedRandom):
        def __init__(self, spread):
            super().__init__(stddev=spread)

    assert str(inspect.signature(Dense)) == "(width)"
    assert str(inspect.signature(Rule)) == "(spread)"
    assert "feedback" in inspect.signature(keras_asymbp.AsymDense).parameters
