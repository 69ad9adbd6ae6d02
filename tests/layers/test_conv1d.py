import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import AsymConv1D

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


@pytest.mark.parametrize(
    "arguments",
    [
        {"padding": "causal"},
        {"padding": "causal", "dilation_rate": 2},
        {"padding": "causal", "strides": 2},
        {"padding": "same", "strides": 3},
        {"padding": "valid", "dilation_rate": 2},
        {"padding": "same", "groups": 2},
        {"use_bias": False},
    ],
    ids=str,
)
def test_gradients_are_those_of_conv1d_with_v(arguments, gradients, stock_gradients):
    layer = AsymConv1D(4, 3, activation="tanh", feedback="frSF", **arguments)
    x = normal(2, 7, 4)
    layer.build(x.shape)
    error = normal(*layer.compute_output_shape(x.shape))
    actual = gradients(layer, x, error)
    expected = stock_gradients(layer, x, error, v=layer.feedback_kernel)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, **CLOSE)


@pytest.mark.parametrize("dilation", [1, 2])
def test_gradients_by_hand_of_a_causal_convolution(dilation, gradients):
    # y[t] = sum over k of x[t - (2 - k) * dilation] w[k], with 0 before the start.
    layer = AsymConv1D(3, 3, padding="causal", dilation_rate=dilation, feedback="frSF")
    x, error = normal(2, 6, 2), normal(2, 6, 3)
    layer.build(x.shape)
    w, v = layer.kernel.numpy(), layer.feedback_kernel.numpy()
    y, dx, dw = np.zeros((2, 6, 3)), np.zeros(x.shape), np.zeros(w.shape)
    for t in range(6):
        for k in range(3):
            s = t - (2 - k) * dilation
            if s >= 0:
                y[:, t] += x[:, s] @ w[k]
                dx[:, s] += error[:, t] @ v[k].T
                dw[k] += x[:, s].T @ error[:, t]
    for a, e in zip(gradients(layer, x, error), (y, dx, dw), strict=False):
        np.testing.assert_allclose(a, e, **CLOSE)


def test_the_error_does_not_reach_the_future():
    layer = AsymConv1D(2, 3, padding="causal", feedback="RndF")
    x = tf.constant(normal(1, 6, 2))
    with tf.GradientTape() as tape:
        tape.watch(x)
        early = tf.reduce_sum(layer(x)[:, :3])
    dx = tape.gradient(early, x).numpy()
    assert np.all(dx[:, 3:] == 0)
    assert np.all(dx[:, :3] != 0)


@pytest.mark.parametrize(("groups", "fan_in"), [(1, 3 * 4), (2, 3 * 2)])
def test_nusf_divides_by_width_x_input_channels(groups, fan_in):
    layer = AsymConv1D(4, 3, groups=groups, feedback="NuSF")
    layer.build((None, 7, 4))
    np.testing.assert_allclose(
        layer.feedback_kernel, np.sign(layer.kernel) / fan_in, rtol=1e-6
    )
