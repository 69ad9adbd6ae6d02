"""A model of another kind is refused in one sentence, not by an attribute error."""

import keras
import numpy as np
import pytest

import keras_asymbp
from keras_asymbp import _subjects, metrics
from keras_asymbp.diagnostics import diagnose, similarity
from keras_asymbp.layers import asymmetric_layers

X, Y = np.ones((4, 3)), np.ones((4, 2))


def make_model():
    return keras.Sequential([keras.Input((3,)), keras_asymbp.AsymDense(2)])


def test_models_and_layers_are_taken():
    _subjects.check_layer(make_model())
    _subjects.check_layer(keras.layers.Dense(2))


def test_a_compiled_model_is_taken():
    model = make_model()
    model.compile("sgd", "mse")
    _subjects.check_compiled(model)


@pytest.mark.parametrize(
    "function",
    [
        asymmetric_layers,
        keras_asymbp.mirror_feedback,
        keras_asymbp.redraw_feedback,
        metrics.alignment,
        lambda model: metrics.gradient_angles(model, [(X, Y)]),
        lambda model: diagnose(model, [(X, Y)]),
        lambda model: similarity(model, make_model(), [(X,)]),
    ],
)
@pytest.mark.parametrize("model", ["model.keras", None, [make_model]])
def test_what_is_no_model_is_refused(function, model):
    received = type(model).__name__
    with pytest.raises(ValueError, match=rf"`model` must be .*Received: {received}$"):
        function(model)


def test_what_is_no_twin_is_refused():
    with pytest.raises(ValueError, match=r"`twin` must be .*Received: str$"):
        similarity(make_model(), "twin", [(X,)])


@pytest.mark.parametrize("measure", [metrics.gradient_angles, diagnose])
def test_a_gradient_needs_a_compiled_model(measure):
    model = make_model()
    with pytest.raises(ValueError, match=r"compiled with a loss.*True, compiled=False"):
        measure(model, [(X, Y)])
    with pytest.raises(ValueError, match=r"built=True, compiled=False"):
        measure(model.layers[0], [(X, Y)])
    late = keras.Sequential([keras_asymbp.AsymDense(2)], name="late")
    late.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"'late', built=False, compiled=True"):
        measure(late, [(X, Y)])
