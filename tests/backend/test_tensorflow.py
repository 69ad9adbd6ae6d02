"""Functions and switches: no trace keeps or misses a switch."""

import keras
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("Keras's backend isn't TensorFlow", allow_module_level=True)

import numpy as np
import tensorflow as tf

from keras_asymbp import backend
from keras_asymbp._switch import Switch
from keras_asymbp.backend import SwitchInFunction, inlined
from keras_asymbp.backend.tensorflow import _function_in_trace


def test_branches_and_loops_belong_to_their_function():
    assert _function_in_trace() == "eager"
    seen = []

    def note(*_):
        seen.append(_function_in_trace())
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


def test_random_numbers_are_those_of_tensorflow():
    seed = tf.constant([7 + 2**32, 3], tf.int64)
    bits = tf.random.stateless_uniform(
        (5, 6), seed, minval=None, maxval=None, dtype=tf.uint32, alg="philox"
    )
    np.testing.assert_array_equal(backend.random_bits((5, 6), 7, 3), bits)
    halves = bits.numpy().astype("<u4").view("<u2")
    for shape in ((5, 12), (3, 5)):
        actual = backend.random_halves(shape, 7, 3).numpy()
        np.testing.assert_array_equal(np.ravel(actual), halves.flat[: actual.size])
