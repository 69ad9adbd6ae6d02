import keras
import numpy as np
import pytest
from keras import ops

from keras_asymbp import AsymDense, BatchManhattan, backend, feedbacks, metrics, random

STEPS = 12


def make_model(optimizer, **arguments):
    """Two layers; the upper one sends its error back through a learned V."""
    upper = AsymDense(4, feedback=feedbacks.KolenPollack(seed=11), **arguments)
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, activation="tanh"), upper]
    )
    model.compile(optimizer, "mse")
    return model, upper


def train(model, steps, seed=1):
    generator = np.random.default_rng(seed)
    for _ in range(steps):
        model.train_on_batch(
            generator.normal(size=(8, 6)), generator.normal(size=(8, 4))
        )


def difference(layer):
    return layer.kernel.numpy() - np.asarray(layer.feedback_kernel)


def test_v_starts_as_random_feedback(make_layer, backward_kernel):
    layer = make_layer(feedbacks.KolenPollack(stddev=0.5, seed=11))
    v = random.normal((2, 3), 11, 0.5)
    np.testing.assert_array_equal(layer.feedback_kernel, v)
    np.testing.assert_array_equal(backward_kernel(layer), v)


def test_the_gradient_of_v_is_that_of_w_and_of_a_stock_layer():
    model, layer = make_model("sgd")
    x = keras.random.normal((8, 6))
    w, [v] = layer.kernel, layer.feedback.trainable_variables
    _, [dw, dv] = backend.gradients(lambda: ops.sum(ops.sin(model(x))), [], [w, v])
    hidden = np.asarray(model.layers[0](x))
    expected = hidden.T @ np.cos(hidden @ w.numpy())
    np.testing.assert_allclose(dw, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(dv, dw)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("setting", [0, 1])
def test_the_difference_decays_whatever_is_learned(setting, momentum):
    rate, decay = 0.05, 0.5
    optimizer = BatchManhattan(rate, momentum, weight_decay=decay, setting=setting)
    model, layer = make_model(optimizer)
    expected = difference(layer)
    tau = np.zeros_like(expected)
    train(model, STEPS)
    for _ in range(STEPS):  # the recursion of W - V, which has no gradient
        tau = momentum * tau - decay * expected
        expected = expected + rate * tau
    np.testing.assert_allclose(difference(layer), expected, atol=1e-5)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.1, momentum=0.9),
        lambda: keras.optimizers.Adam(0.01),
        lambda: keras.optimizers.Lion(0.01),
        lambda: BatchManhattan(0.01),
    ],
)
def test_without_a_decay_the_difference_is_constant(optimizer):
    model, layer = make_model(optimizer())
    before, w = difference(layer), layer.kernel.numpy()
    train(model, STEPS)
    np.testing.assert_allclose(difference(layer), before, atol=1e-5)
    assert np.abs(layer.kernel - w).max() > 0.01


def test_the_kernel_s_regularizer_is_a_decay_of_both():
    # The gradient of 2.5 |W|^2 is 5 W: W - V shrinks by 1 - 0.05 x 5 a step.
    model, layer = make_model(
        keras.optimizers.SGD(0.05), kernel_regularizer=keras.regularizers.L2(2.5)
    )
    before = difference(layer)
    train(model, STEPS)
    np.testing.assert_allclose(difference(layer), before * 0.75**STEPS, atol=1e-5)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.05, momentum=0.9, weight_decay=0.2),
        lambda: BatchManhattan(1e-3, weight_decay=2.0),
    ],
    ids=["SGD", "BatchManhattan"],
)
def test_learning_brings_the_angle_of_w_and_v_below_5_degrees(optimizer):
    """As in Akrout et al. 2019: V becomes W while the network learns."""
    model, layer = make_model(optimizer())
    x = np.random.default_rng(1).normal(size=(64, 6))
    y = np.tanh(x @ np.random.default_rng(2).normal(size=(6, 4)))
    assert metrics.angle(layer.kernel, layer.feedback_kernel) > 45
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=60, batch_size=8, verbose=0)
    assert metrics.angle(layer.kernel, layer.feedback_kernel) < 5
    assert model.evaluate(x, y, verbose=0) < before / 2


def test_a_frozen_layer_keeps_its_v():
    model, layer = make_model("sgd")
    layer.trainable = False
    v = layer.feedback_kernel
    train(model, 2)
    np.testing.assert_array_equal(layer.feedback_kernel, v)
    assert len(model.trainable_variables) == 2  # of the layer below


@pytest.mark.parametrize("dtype", ["float64", "float32", "mixed_float16"])
def test_v_has_the_dtype_of_w(dtype):
    layer = AsymDense(4, feedback="KP", dtype=dtype)
    layer.build((None, 6))
    w, v = layer.trainable_weights[0], layer.feedback.trainable_weights[0]
    assert v.dtype == w.dtype


def test_v_has_the_constraint_of_w():
    model, layer = make_model(
        BatchManhattan(0.01, weight_decay=0.5, setting=0),
        kernel_constraint=keras.constraints.NonNeg(),
    )
    train(model, 200)
    for kernel in (layer.kernel, layer.feedback_kernel):
        assert np.min(kernel) >= 0
    assert metrics.angle(layer.kernel, layer.feedback_kernel) < 1
