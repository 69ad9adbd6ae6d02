import keras
import numpy as np
import pytest

from keras_asymbp import AsymDense, surgery


def model():
    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="dense")], name="inner"
    )
    inputs = keras.Input((4,), name="inputs")
    outputs = AsymDense(2, feedback="frSF", name="asymmetric")(inner(inputs))
    return keras.Model(inputs, outputs, name="outer")


def names(layers):
    return [layer.name for layer in layers]


def test_parts_and_state_leave_rules_out():
    layer = model().get_layer("asymmetric")
    assert layer.feedback.variables
    assert names(surgery.parts(layer)) == ["asymmetric"]
    assert surgery.state(layer) == [layer.kernel, layer.bias]


def test_asymmetric_parts_are_those_of_nested_models_too():
    whole = keras.Sequential([model()])
    assert names(surgery.asymmetric_parts(whole)) == ["asymmetric"]
    assert surgery.asymmetric_parts(keras.layers.Dense(2)) == []


class Named(keras.layers.Dense):
    """A subclass that changes nothing."""


@pytest.mark.parametrize("layer", [keras.layers.Dense(2), Named(2)])
def test_a_layer_s_twin_is_that_of_its_base(layer):
    twin = surgery.twin_of(layer)
    assert twin is keras.layers.Dense
    assert surgery.ASYMMETRIC[twin] is AsymDense


def test_no_twin():
    assert surgery.twin_of(keras.layers.Dropout(0.5)) is None


def test_a_clone_has_names_weights_and_trainable():
    old = model()
    old.get_layer("inner").trainable = False
    new = surgery.clone(old, surgery.copy, "clone")
    assert new is not old
    assert names(new._flatten_layers()) == names(old._flatten_layers())
    assert not new.get_layer("inner").trainable
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(new(x), old(x))


def test_a_model_is_compiled_again_after_an_error():
    old = model()
    old.compile("sgd", "mse")

    def copy(layer):
        assert not old.compiled
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        surgery.clone(old, copy, "clone")
    assert old.compiled


def test_the_message_names_the_user_s_function():
    with pytest.raises(ValueError, match="`my_function` takes a built model"):
        surgery.check(keras.Sequential([keras.layers.Dense(2)]), "my_function")
