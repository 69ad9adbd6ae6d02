import numpy as np
import pytest

from keras_asymbp import AsymDepthwiseConv2D

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"strides": 2, "padding": "same"},
        {"dilation_rate": 2, "padding": "same"},
        {"use_bias": False},
    ],
    ids=str,
)
def test_gradients_are_those_of_depthwise_conv2d_with_v(
    arguments, multiplier, gradients, stock_gradients
):
    layer = AsymDepthwiseConv2D(
        2, depth_multiplier=multiplier, activation="tanh", feedback="frSF", **arguments
    )
    x = normal(2, 5, 4, 3)
    layer.build(x.shape)
    error = normal(*layer.compute_output_shape(x.shape))
    actual = gradients(layer, x, error)
    expected = stock_gradients(layer, x, error, v=layer.feedback_kernel)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, **CLOSE)


def test_gradients_by_hand(gradients):
    # Output channel c * multiplier + m depends on input channel c only.
    layer = AsymDepthwiseConv2D((2, 1), depth_multiplier=2, feedback="frSF")
    x = normal(1, 3, 2, 3)
    layer.build(x.shape)
    w, v = layer.kernel.numpy(), layer.feedback_kernel.numpy()
    y, dx, dw = np.zeros((1, 2, 2, 6)), np.zeros(x.shape), np.zeros(w.shape)
    error = normal(*y.shape)
    for a, b, i, c, m in np.ndindex(2, 2, 2, 3, 2):
        y[:, a, b, 2 * c + m] += x[:, a + i, b, c] * w[i, 0, c, m]
        dx[:, a + i, b, c] += error[:, a, b, 2 * c + m] * v[i, 0, c, m]
        dw[i, 0, c, m] += np.sum(x[:, a + i, b, c] * error[:, a, b, 2 * c + m])
    for actual, e in zip(gradients(layer, x, error), (y, dx, dw), strict=False):
        np.testing.assert_allclose(actual, e, **CLOSE)


@pytest.mark.parametrize("multiplier", [1, 3])
def test_nusf_divides_by_width_x_height(multiplier):
    # A filter sees one channel, whatever their number.
    layer = AsymDepthwiseConv2D((3, 2), depth_multiplier=multiplier, feedback="NuSF")
    layer.build((None, 5, 5, 4))
    np.testing.assert_allclose(
        layer.feedback_kernel, np.sign(layer.kernel) / (3 * 2), rtol=1e-6
    )
