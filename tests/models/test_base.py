"""A function that describes a network becomes one that builds its models."""

import inspect
import pickle
import typing

import keras
import pytest

from keras_asymbp import feedbacks, models
from keras_asymbp.layers import asymmetric_layers
from keras_asymbp.models.base import builds, make
from keras_asymbp.models.rows import FC, Network


@builds(classes=3, name=None, without=("include_top",))
def narrow(units: int = 4, input_shape: tuple[int, ...] | None = None) -> Network:
    """A narrow network."""
    return Network((5,), (FC(units),), family="narrow", depth=len(input_shape or ()))


def test_it_has_the_arguments_of_both():
    signature = inspect.signature(narrow)
    shared = inspect.signature(make).parameters
    assert list(signature.parameters) == [
        *("feedback", "units", "input_shape", "classes", "weights"),
        *("classifier_activation", "normalization", "kernel_initializer", "seed"),
        "name",
    ]
    for name, parameter in signature.parameters.items():
        assert parameter.kind == (
            parameter.POSITIONAL_OR_KEYWORD
            if name == "feedback"
            else parameter.KEYWORD_ONLY
        )
        if name not in ("units", "classes"):
            assert parameter == shared[name]
    assert signature.parameters["units"].default == 4
    assert signature.parameters["classes"].default == 3
    hints = typing.get_type_hints(narrow, {"keras": keras})
    assert hints["units"] is int
    assert hints["return"] is keras.Model


def test_it_describes_the_shared_arguments_and_shows_its_own_source():
    assert narrow.__doc__.startswith("A narrow network.\n\n    Args:\n        feedback")
    assert 'family="narrow"' in inspect.getsource(narrow)
    assert pickle.loads(pickle.dumps(models.plain)) is models.plain


def test_each_argument_arrives():
    model = narrow("RndF", units=6, input_shape=(7,), seed=1)
    assert model.name == "narrow-1"
    assert [w.shape for w in model.trainable_variables] == [(7, 6), (6,), (6, 3), (3,)]
    rules = [type(layer.feedback) for layer in asymmetric_layers(model)]
    assert rules == [feedbacks.FixedRandom] * 2
    assert narrow(name="mine").name == "mine"


@pytest.mark.parametrize(
    ("arguments", "named", "words"),
    [
        (("uSF", 3), {}, r"narrow\(\) too many positional arguments"),
        ((), {"clases": 3}, r"narrow\(\) got an unexpected keyword argument 'clases'"),
        ((), {"include_top": False}, r"narrow\(\) got an unexpected .*'include_top'"),
        (("uSF",), {"feedback": 1}, r"narrow\(\) multiple values for .*'feedback'"),
    ],
)
def test_an_argument_too_many_is_refused_in_the_function_s_name(
    arguments, named, words
):
    with pytest.raises(TypeError, match=words):
        narrow(*arguments, **named)
