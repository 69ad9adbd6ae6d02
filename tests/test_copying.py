"""A copied layer keeps the user's own functions, in every place that holds one."""

import functools
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import asymmetrize, surgery, symmetrize
from keras_asymbp.copying import copy


def twice(z):
    return 2 * keras.ops.tanh(z)


def namesake(z):
    return 3 * keras.ops.tanh(z)


namesake.__name__ = "twice"


def relu(z):
    """A function with the name of one of Keras."""
    return keras.ops.minimum(z, 1)


def half(weight):
    return weight / 2


def penalty(weight):
    return keras.ops.sum(weight**2)


def ones(shape, dtype=None):
    return keras.ops.ones(shape, dtype)


class Penalty(keras.regularizers.Regularizer):
    """An unregistered class with a function, which its config holds as it is."""

    def __init__(self, function):
        self.function = function

    def __call__(self, weight):
        return self.function(weight)

    def get_config(self):
        return {"function": self.function}


class Apply(keras.layers.Layer):
    """An unregistered layer with a function, and with a Dense that has it too."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function
        self.dense = keras.layers.Dense(3, activation=function)

    def build(self, shape):
        self.dense.build(shape)

    def call(self, inputs):
        return self.function(self.dense(inputs))

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return {**super().get_config(), "function": self.function}


class Callable:
    def __call__(self, z):
        return z * z


LAMBDA, PARTIAL = (
    lambda z: z - 1,
    functools.partial(keras.activations.relu, max_value=2),
)
LIMITS = {"kernel_constraint": half, "kernel_regularizer": penalty}
FUNCTIONS = {
    "activation": lambda: keras.layers.Dense(3, activation=twice),
    "activation of Keras": lambda: keras.layers.Dense(3, activation="gelu"),
    "namesake": lambda: keras.layers.Dense(3, activation=namesake),
    "namesake of Keras's": lambda: keras.layers.Dense(3, activation=relu),
    "lambda": lambda: keras.layers.Dense(3, activation=LAMBDA),
    "partial": lambda: keras.layers.Dense(3, activation=PARTIAL),
    "object": lambda: keras.layers.Dense(3, activation=Callable()),
    "TensorFlow": lambda: keras.layers.Dense(3, activation=tf.math.sin),
    "initializer": lambda: keras.layers.Dense(3, kernel_initializer=ones),
    "limits": lambda: keras.layers.Dense(3, **LIMITS, activity_regularizer=penalty),
    "class": lambda: keras.layers.Dense(3, bias_regularizer=Penalty(penalty)),
    "Activation": lambda: keras.layers.Activation(LAMBDA),
    "Lambda": lambda: keras.layers.Lambda(
        lambda z, axes: keras.ops.sum(z, axes, keepdims=True) + z,
        output_shape=lambda shape: shape,
        mask=lambda inputs, mask: mask,
        arguments={"axes": (1, 2)},
    ),
    "Lambda of an object": lambda: keras.layers.Lambda(
        lambda z, by: z * by.factor, arguments={"by": types.SimpleNamespace(factor=2.0)}
    ),
    "recurrent": lambda: keras.layers.LSTM(3, twice, LAMBDA, return_sequences=True),
    "wrapper": lambda: keras.layers.TimeDistributed(
        keras.layers.Dense(3, activation=twice, **LIMITS)
    ),
    "model in a wrapper": lambda: keras.layers.TimeDistributed(
        keras.Sequential(
            [
                keras.Input((3,)),
                keras.layers.Dense(3, activation=namesake, **LIMITS),
                keras.layers.Lambda(lambda z: z / 2),
            ]
        )
    ),
    "own layer": lambda: Apply(twice),
    "own layer in a wrapper": lambda: keras.layers.TimeDistributed(Apply(LAMBDA)),
}


def functions_of(layer):
    """The functions in the attributes of a layer, of its parts and its variables."""
    holders = surgery.parts(layer)
    holders += [variable for part in holders for variable in part.weights]
    return [
        (name, value)
        for holder in holders
        for name, value in vars(holder).items()
        if callable(value) and not hasattr(keras.layers.Layer, name)
        if not isinstance(value, keras.layers.Layer | keras.Variable)
        if not hasattr(value, "get_config")
    ]


@pytest.mark.filterwarnings("error:The object being serialized:UserWarning")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_conversion_keeps_the_user_s_functions(name):
    layer = FUNCTIONS[name]()
    old = keras.Sequential([keras.Input((4, 3)), layer, keras.layers.Dense(2)])
    before = functions_of(old)
    twin = asymmetrize(old, print_fn=None)
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    for new in (twin, symmetrize(twin)):
        np.testing.assert_array_equal(new(x), old(x))
        np.testing.assert_array_equal(new.losses, old.losses)
        pairs = zip(functions_of(new), before, strict=True)
        assert all(a == b and a[1] is b[1] for a, b in pairs)
    assert functions_of(old) == before


def test_functions_of_one_name_are_not_confused():
    layers = [
        keras.layers.Dense(3, activation=function)
        for function in (twice, namesake, relu, "relu", lambda z: z, lambda z: -z)
    ]
    old = keras.Sequential([keras.Input((3,)), *layers])
    twin = asymmetrize(old, print_fn=None)
    for new, layer in zip(twin.layers, layers, strict=True):
        assert new.activation is layer.activation


def test_functions_are_back_in_their_places_after_an_error():
    class Failing(keras.layers.Dense):
        def get_config(self):
            assert self.activation is not LAMBDA
            assert self.activation(3) == LAMBDA(3)
            raise ZeroDivisionError

    layer = Failing(3, activation=LAMBDA)
    with pytest.raises(ZeroDivisionError):
        copy(layer)
    assert layer.activation is LAMBDA


def test_a_file_with_a_lambda_is_still_refused(tmp_path):
    old = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda z: z)])
    old.add(keras.layers.Dense(2))
    twin = asymmetrize(old, print_fn=None)
    twin.save(tmp_path / "twin.keras")
    with pytest.raises(ValueError, match="safe_mode=False"):
        keras.models.load_model(tmp_path / "twin.keras")


def test_two_classes_of_one_name_must_be_registered():
    class Inner(Apply):
        pass

    inner = keras.layers.TimeDistributed(Inner(twice))
    Inner.__name__ = "Apply"
    outer = keras.Sequential([keras.Input((4, 3)), inner, Apply(twice)])
    old = keras.Sequential(
        [keras.Input((2, 4, 3)), keras.layers.TimeDistributed(outer)]
    )
    with pytest.raises(TypeError, match="Could not locate class 'Apply'"):
        surgery.clone(old, copy, "clone")
