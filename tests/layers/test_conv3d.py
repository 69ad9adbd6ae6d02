import numpy as np
import pytest

from keras_asymbp import AsymConv3D

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"padding": "same", "strides": (1, 2, 2)},
        {"kernel_size": (1, 2, 3)},
        {"use_bias": False, "strides": 2},
    ],
    ids=str,
)
def test_gradients_are_those_of_conv3d_with_v(arguments, gradients, stock_gradients):
    arguments = {"kernel_size": 2, "activation": "tanh"} | arguments
    layer = AsymConv3D(3, feedback="frSF", **arguments)
    x = normal(2, 3, 4, 3, 2)
    layer.build(x.shape)
    error = normal(*layer.compute_output_shape(x.shape))
    actual = gradients(layer, x, error)
    expected = stock_gradients(layer, x, error, v=layer.feedback_kernel)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, **CLOSE)


def test_gradients_by_hand(gradients):
    layer = AsymConv3D(2, 2, feedback="frSF")
    x = normal(1, 3, 2, 3, 2)
    layer.build(x.shape)
    w, v = layer.kernel.numpy(), layer.feedback_kernel.numpy()
    y, dx, dw = np.zeros((1, 2, 1, 2, 2)), np.zeros(x.shape), np.zeros(w.shape)
    error = normal(*y.shape)
    for a, b, c in np.ndindex(y.shape[1:4]):
        for i, j, k in np.ndindex(2, 2, 2):
            y[:, a, b, c] += x[:, a + i, b + j, c + k] @ w[i, j, k]
            dx[:, a + i, b + j, c + k] += error[:, a, b, c] @ v[i, j, k].T
            dw[i, j, k] += x[:, a + i, b + j, c + k].T @ error[:, a, b, c]
    for actual, e in zip(gradients(layer, x, error), (y, dx, dw), strict=False):
        np.testing.assert_allclose(actual, e, **CLOSE)


def test_nusf_divides_by_depth_x_width_x_height_x_input_channels():
    layer = AsymConv3D(4, (1, 2, 3), feedback="NuSF")
    layer.build((None, 5, 5, 5, 2))
    np.testing.assert_allclose(
        layer.feedback_kernel, np.sign(layer.kernel) / (1 * 2 * 3 * 2), rtol=1e-6
    )
