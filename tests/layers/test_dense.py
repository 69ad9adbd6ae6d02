import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp import AsymDense, metrics, mirror_feedback

SIZES = st.integers(1, 5)
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


@given(
    lead=st.lists(SIZES, min_size=1, max_size=2),
    inputs=SIZES,
    units=SIZES,
    activation=st.sampled_from([None, "relu", "tanh", "softmax"]),
    use_bias=st.booleans(),
)
def test_gradients_are_those_of_dense_with_v(
    lead, inputs, units, activation, use_bias, gradients, stock_gradients
):
    layer = AsymDense(units, activation=activation, use_bias=use_bias, feedback="frSF")
    x, error = normal(*lead, inputs), normal(*lead, units)
    layer.build(x.shape)
    actual = gradients(layer, x, error)
    expected = stock_gradients(layer, x, error, v=layer.feedback_kernel)
    assert len(actual) == 3 + use_bias
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, **CLOSE)


@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 5)])
def test_gradients_by_hand(shape, gradients):
    layer = AsymDense(3, activation="relu", feedback="uSF")
    x = normal(*shape)
    layer.build(shape)
    w = layer.kernel.numpy()
    error = normal(*shape[:-1], 3)
    y, dx, dw, db = gradients(layer, x, error)
    delta = np.where(x @ w > 0, error, 0)
    flat_x, flat_delta = x.reshape(-1, 5), delta.reshape(-1, 3)
    np.testing.assert_allclose(y, np.maximum(x @ w, 0), **CLOSE)
    np.testing.assert_allclose(dx, delta @ np.sign(w).T, **CLOSE)
    np.testing.assert_allclose(dw, flat_x.T @ flat_delta, **CLOSE)
    np.testing.assert_allclose(db, flat_delta.sum(0), **CLOSE)


@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 5)])
@pytest.mark.parametrize("use_bias", [True, False])
def test_bp_is_dense_to_the_last_bit(shape, use_bias, gradients, twin):
    layer = AsymDense(3, activation="tanh", use_bias=use_bias, feedback="BP")
    layer.build(shape)
    x, error = normal(*shape), normal(*shape[:-1], 3)
    for actual, expected in zip(
        gradients(layer, x, error), gradients(twin(layer), x, error), strict=True
    ):
        np.testing.assert_array_equal(actual, expected)


def test_regularizers_and_constraints_act_on_w():
    layer = AsymDense(
        3, kernel_regularizer=keras.regularizers.L2(0.1), kernel_constraint="non_neg"
    )
    layer.build((None, 2))
    layer.kernel.assign(-np.ones((2, 3)))
    with tf.GradientTape() as tape:
        (penalty,) = layer.losses
    np.testing.assert_allclose(
        tape.gradient(penalty, layer.kernel.value), np.full((2, 3), -0.2)
    )
    keras.optimizers.SGD(0.0).apply([np.zeros((2, 3), "float32")], [layer.kernel])
    np.testing.assert_array_equal(layer.kernel, np.zeros((2, 3)))


@pytest.mark.parametrize("feedback", ["uSF", "brSF", "KP", "RndF", "BP"])
@pytest.mark.parametrize("eager", [True, False])
def test_sparse_inputs_are_dense_inputs(feedback, eager):
    x = np.random.default_rng(0).normal(size=(6, 7)).astype("float32")
    x[np.abs(x) < 0.8] = 0
    weights = []
    for batch in (x, tf.sparse.from_dense(x)):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((7,), sparse=batch is not x)
        layer = AsymDense(5, feedback=feedback)
        model = keras.Model(inputs, keras.layers.Dense(2)(layer(inputs)))
        model.compile("sgd", "mse", run_eagerly=eager, jit_compile=False)
        for _ in range(2):
            model.train_on_batch(batch, np.ones((6, 2)))
        weights.append([*model.get_weights(), layer.feedback_kernel])
    for sparse, dense in zip(*weights, strict=True):
        if np.asarray(dense).dtype.kind == "f":  # fingerprints follow the last bit
            np.testing.assert_allclose(sparse, dense, atol=1e-6)


def test_the_error_of_a_sparse_input_travels_through_v():
    x = tf.constant([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]])
    layer = AsymDense(4, feedback="RndF")
    layer.build((None, 3))
    sparse = tf.sparse.from_dense(x)
    with tf.GradientTape() as tape:
        tape.watch(sparse.values)
        y = layer(sparse)
    error = tf.ones((2, 4)) @ tf.transpose(layer.feedback_kernel)
    np.testing.assert_allclose(y, layer(x), rtol=1e-6)
    np.testing.assert_allclose(
        tape.gradient(y, sparse.values), tf.gather_nd(error, sparse.indices), rtol=1e-6
    )


def test_a_mirror_phase_with_sparse_inputs():
    inputs = keras.Input((7,), sparse=True)
    layer = AsymDense(5, feedback="WM")
    model = keras.Model(inputs, layer(inputs))
    mirror_feedback(model, tf.sparse.from_dense(tf.eye(40, 7)), steps=300)
    assert metrics.angle(layer.kernel, layer.feedback_kernel) < 30
