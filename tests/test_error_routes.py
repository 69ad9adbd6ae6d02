"""The layers of direct feedback: shapes, precisions and masks."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.error_routes import DirectFeedback, StopError
from keras_asymbp.gradients import backpropagation, direct, stopped

SIZES = st.lists(st.integers(1, 4), max_size=3)


def normal(*shape, seed=0):
    generator = np.random.default_rng([seed, *shape])
    return generator.normal(size=shape).astype("float32")


@given(st.integers(1, 4), SIZES, st.lists(SIZES, max_size=3), st.booleans())
def test_the_gradient_for_any_shapes(batch, outputs, inputs, graph):
    y, error = tf.constant(normal(batch, *outputs)), normal(batch, *outputs, seed=1)
    xs = [tf.constant(normal(batch, *shape)) for shape in inputs]
    elements = [int(np.prod(shape)) for shape in (outputs, *inputs)]
    bs = [normal(elements[0], size, seed=i) for i, size in enumerate(elements[1:])]

    def gradients(y, *xs):
        with tf.GradientTape() as tape:
            tape.watch([y, *xs])
            result = direct(y, xs, [tf.constant(b) for b in bs])
        return result, *tape.gradient(result, [y, *xs], error)

    if graph:
        gradients = tf.function(gradients)
    result, dy, *dxs = gradients(y, *xs)
    np.testing.assert_array_equal(result, y)
    np.testing.assert_array_equal(dy, error)
    for dx, x, b in zip(dxs, xs, bs, strict=True):
        expected = [np.reshape(e.ravel() @ b, x.shape[1:]) for e in error]
        np.testing.assert_allclose(dx, expected, rtol=1e-4, atol=1e-5)


def test_shapes_may_be_unknown_in_a_function():
    @tf.function(input_signature=[tf.TensorSpec([None, None, None])] * 2)
    def gradient(x, y):
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = direct(y, [x], [tf.ones((6, 4))])
        return tape.gradient(result, x)

    np.testing.assert_array_equal(
        gradient(tf.zeros((5, 2, 2)), tf.zeros((5, 2, 3))), np.full((5, 2, 2), 6)
    )


def test_the_direct_error_is_added_to_the_other():
    x, b = tf.constant(normal(2, 3)), normal(3, 3)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = direct(2 * x, [x], [tf.constant(b)])
    expected = 2 + np.ones((2, 3)) @ b
    np.testing.assert_allclose(tape.gradient(y, x), expected, rtol=1e-5)


def test_second_order():
    # The error of sum(y^2) / 2 is e = y, so e B has the sum of B's rows as gradient.
    x, y, b = tf.ones((1, 3)), tf.constant(normal(1, 2)), normal(2, 3)
    with tf.GradientTape() as outer:
        outer.watch(y)
        with tf.GradientTape() as inner:
            inner.watch(x)
            energy = tf.reduce_sum(direct(y, [x], [tf.constant(b)]) ** 2) / 2
        first = inner.gradient(energy, x)
    np.testing.assert_allclose(first, y.numpy() @ b, rtol=1e-5)
    np.testing.assert_allclose(outer.gradient(first, y)[0], b.sum(1), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_errors_keep_the_precision_of_their_tensors(dtype):
    x, y = tf.ones((2, 3), dtype), tf.ones((2, 4))
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        result = direct(y, [x], [tf.fill((4, 3), 0.5)])
    dy, dx = tape.gradient(result, [y, x])
    assert (dy.dtype, dx.dtype) == (tf.float32, dtype)
    np.testing.assert_array_equal(dx, np.full((2, 3), 2))


@pytest.mark.parametrize("symmetric", [False, True])
def test_within_backpropagation_no_error_is_stopped_or_sent(symmetric):
    x = tf.constant(normal(2, 3))

    def gradient(function):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x)

    def stop_and_send(x):
        return direct(stopped(x), [x], [tf.fill((3, 3), 5.0)])

    if symmetric:
        with backpropagation():
            np.testing.assert_array_equal(gradient(stopped), np.ones((2, 3)))
            np.testing.assert_array_equal(gradient(stop_and_send), np.ones((2, 3)))
    else:
        assert gradient(stopped) is None
        np.testing.assert_array_equal(gradient(stop_and_send), np.full((2, 3), 15))


def test_the_layers_keep_the_mask_and_precision_of_the_first():
    inputs = keras.Input((4, 2), dtype="float16")
    other = keras.Input((3,))
    x = StopError(dtype="float32")(keras.layers.Masking(dtype="float16")(inputs))
    outputs = DirectFeedback(dtype="float32")([x, other])
    assert (x.dtype, outputs.dtype) == ("float16", "float16")
    model = keras.Model([inputs, other], outputs)
    x = np.ones((1, 4, 2), "float16")
    x[:, 2:] = 0
    result = model([x, np.ones((1, 3))])
    np.testing.assert_array_equal(
        keras.src.backend.get_keras_mask(result), [[True, True, False, False]]
    )


def test_config():
    layer = DirectFeedback(stddev=0.2, seed=3, name="direct")
    again = DirectFeedback.from_config(layer.get_config())
    for each in (layer, again):
        each.build([(None, 2), (None, 3)])
    assert again.name == "direct"
    np.testing.assert_array_equal(again.weights[0], layer.weights[0])


@pytest.mark.parametrize("stddev", ["0.1", None, -0.1, float("nan")])
def test_refuses_an_invalid_standard_deviation(stddev):
    with pytest.raises(ValueError, match="`stddev` must be a number in the range"):
        DirectFeedback(stddev=stddev)


def test_refuses_an_unknown_signal():
    with pytest.raises(ValueError, match="`signal` must be one of 'error', 'softmax_t"):
        DirectFeedback(signal="target")
