"""Switches and functions: nothing that was traced before keeps or misses a switch."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import AsymDense, _functions, metrics
from keras_asymbp._functions import (
    SwitchInFunction,
    compiled_call,
    function_in_trace,
    inlined,
)
from keras_asymbp._switch import Switch


def test_branches_and_loops_belong_to_their_function():
    assert function_in_trace() == "eager"
    seen = []

    def note(*_):
        seen.append(function_in_trace())
        return tf.constant(0)

    @tf.function
    def function():
        note()
        tf.cond(tf.constant(True), note, note)
        tf.while_loop(lambda i: i < 1, lambda i: i + 1 + note(), [tf.constant(0)])

    function()
    assert len(seen) >= 4
    assert len(set(map(id, seen))) == 1
    assert seen[0] != "eager"


def test_a_switch_in_a_function_is_off_in_the_functions_that_it_calls():
    switch = SwitchInFunction("switch")
    assert not switch
    seen = {}

    @tf.function
    def inner():
        seen["inner"] = bool(switch)

    @tf.function
    def outer():
        with switch():
            seen["outer"] = bool(switch)
            inner()

    outer()
    with switch():
        seen["eager"] = bool(switch)
    assert seen == {"outer": True, "inner": False, "eager": True}
    assert not switch


def test_inlined_functions_see_a_switch_and_keep_none():
    switch, seen = Switch("switch"), []

    @tf.function
    def function():
        seen.append(bool(switch))

    function()
    with inlined():
        with switch():
            function()
        function()
    function()  # has its trace
    assert seen == [False, True, False]
    assert not tf.config.functions_run_eagerly()


def test_inlining_keeps_the_user_s_setting():
    tf.config.run_functions_eagerly(True)
    try:
        with inlined():
            pass
        assert tf.config.functions_run_eagerly()
    finally:
        tf.config.run_functions_eagerly(False)


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
    gone, known = weakref.ref(model), len(_functions._calls)
    del model
    gc.collect()
    assert gone() is None
    assert len(_functions._calls) < known


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


@pytest.mark.parametrize("traced_before", [True, False])
def test_gradient_angles_of_a_decorated_call(traced_before):
    class Block(keras.layers.Layer):
        def __init__(self, hidden, top):
            super().__init__()
            self.hidden, self.top = hidden, top

        def call(self, x):
            return self.top(self.hidden(x))

    class DecoratedBlock(Block):
        call = tf.function(Block.call)

    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    angles = []
    for kind in (Block, DecoratedBlock):
        keras.utils.set_random_seed(1)
        hidden = AsymDense(6, feedback="RndF", name="hidden")
        top = AsymDense(2, feedback="RndF", name="top")
        # Keras gives no gradient to variables that a `tf.function` creates.
        hidden.build((None, 3))
        top.build((None, 6))
        model = make_model(kind(hidden, top))
        model.compile("sgd", "mse")
        if traced_before:
            model.train_on_batch(x, np.ones((8, 2)))
        measured = metrics.gradient_angles(model, [(x, np.ones((8, 2)))])
        angles.append(list(measured.values()))
        # The traces of training have kept no switch.
        model.train_on_batch(x, np.ones((8, 2)))
        angles.append(list(measured.values()))
    assert angles[0][0] > 20
    for each in angles[1:]:
        np.testing.assert_allclose(each, angles[0], atol=1e-3)
