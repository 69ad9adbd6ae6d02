import numpy as np
import pytest

from keras_asymbp import AsymConv2DTranspose

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"strides": 2},
        {"strides": 2, "padding": "same"},
        {"strides": 3, "output_padding": 1},
        {"strides": (2, 3), "padding": "same", "output_padding": (1, 0)},
        {"use_bias": False, "strides": 2},
    ],
    ids=str,
)
def test_gradients_are_those_of_conv2d_transpose_with_v(
    arguments, gradients, stock_gradients
):
    layer = AsymConv2DTranspose(4, 3, activation="tanh", feedback="frSF", **arguments)
    x = normal(2, 3, 4, 2)
    layer.build(x.shape)
    error = normal(*layer.compute_output_shape(x.shape))
    actual = gradients(layer, x, error)
    expected = stock_gradients(layer, x, error, v=layer.feedback_kernel)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, **CLOSE)


def test_gradients_by_hand(gradients):
    # Each input contributes to 3 x 2 outputs, with a stride of 2; the last axis of the
    # kernel is the input channels.
    layer = AsymConv2DTranspose(4, (3, 2), strides=2, feedback="frSF")
    x = normal(2, 2, 3, 2)
    layer.build(x.shape)
    w, v = layer.kernel.numpy(), layer.feedback_kernel.numpy()
    assert w.shape == (3, 2, 4, 2)
    y = np.zeros(layer.compute_output_shape(x.shape))
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    error = normal(*y.shape)
    for a, b, i, j in np.ndindex(2, 3, 3, 2):
        y[:, 2 * a + i, 2 * b + j] += x[:, a, b] @ w[i, j].T
        dx[:, a, b] += error[:, 2 * a + i, 2 * b + j] @ v[i, j]
        dw[i, j] += error[:, 2 * a + i, 2 * b + j].T @ x[:, a, b]
    for actual, e in zip(gradients(layer, x, error), (y, dx, dw), strict=False):
        np.testing.assert_allclose(actual, e, **CLOSE)


@pytest.mark.parametrize("filters", [1, 5])
def test_nusf_divides_by_width_x_height_x_input_channels(filters):
    layer = AsymConv2DTranspose(filters, (3, 2), feedback="NuSF")
    layer.build((None, 4, 4, 7))
    np.testing.assert_allclose(
        layer.feedback_kernel, np.sign(layer.kernel) / (3 * 2 * 7), rtol=1e-6
    )
