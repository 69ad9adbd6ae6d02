"""Calls of a model for their effects are traced once, and reach every function."""

import gc
import weakref

import keras
import pytest
import tensorflow as tf

from keras_asymbp import _calls
from keras_asymbp._calls import compiled_call
from keras_asymbp._switch import Switch


class Counted(keras.layers.Layer):
    """Counts how often its code runs, and remembers a switch."""

    def __init__(self, switch=None):
        super().__init__()
        self.switch, self.traces, self.seen = switch, 0, []
        self.calls = self.add_weight(
            shape=(), initializer="zeros", dtype="int32", trainable=False
        )

    def call(self, x):
        self.traces += 1
        self.seen.append(bool(self.switch))
        self.calls.assign_add(1)
        return x


def make_model(layer):
    return keras.Sequential([keras.Input((3,)), layer])


def test_a_call_is_traced_once_a_model_and_signature():
    layer = Counted()
    model = make_model(layer)
    layer.traces = 0
    for size in (2, 2, 4, 2, 4):
        for _ in range(3):
            compiled_call(model).prepare(tf.ones((size, 3)))()
    assert layer.traces == 2
    assert int(layer.calls) == 15


def test_a_model_with_more_layers_is_traced_anew():
    model = make_model(Counted())
    compiled_call(model).prepare(tf.ones((2, 3)))()
    added = Counted()
    model.add(added)
    compiled_call(model).prepare(tf.ones((2, 3)))()
    assert int(added.calls) == 1


def test_a_model_with_frozen_layers_is_traced_anew():
    layer = Counted()
    model = make_model(layer)
    layer.traces = 0
    for trainable in (True, False, False, True):
        layer.trainable = trainable
        compiled_call(model).prepare(tf.ones((2, 3)))()
    assert layer.traces == 3


def test_models_are_not_kept_alive():
    model = make_model(Counted())
    compiled_call(model).prepare(tf.ones((2, 3)))()
    gone, known = weakref.ref(model), len(_calls._calls)
    del model
    gc.collect()
    assert gone() is None
    assert len(_calls._calls) < known


class Decorated(Counted):
    @tf.function
    def call(self, x):
        return super().call(x)


class NeedsConversion(Counted):
    @tf.function
    def call(self, x):
        if tf.reduce_sum(x) > 100:  # for the graph, TensorFlow must convert this
            x = 2 * x
        return super().call(x)


@pytest.mark.parametrize("kind", [Decorated, NeedsConversion])
def test_a_switch_reaches_functions_that_were_traced_before(kind):
    switch = Switch("switch")
    layer = kind(switch)
    model = make_model(layer)
    model(tf.ones((2, 3)))
    layer.seen.clear()
    call = compiled_call(model, switches=(switch,))
    before = int(layer.calls)
    for _ in range(2):
        call.prepare(tf.ones((2, 3)))()
    assert int(layer.calls) == before + 2
    assert layer.seen
    assert all(layer.seen)
    layer.seen.clear()
    model(tf.ones((2, 3)))
    assert not any(layer.seen)
