import numpy as np
import pytest

from keras_asymbp import AsymEinsumDense

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


# Equation, output shape, bias axes, input shape, and number of inputs per output.
EQUATIONS = [
    ("ab,bc->ac", (3,), "c", (2, 4), 4),
    ("ab,bc->ac", (3,), None, (2, 4), 4),
    ("abc,cd->abd", (5, 3), "d", (2, 5, 4), 4),
    ("abc,cde->abde", (5, 2, 3), "de", (2, 5, 4), 4),
    ("abcd,cde->abe", (5, 3), "e", (2, 5, 3, 4), 12),
    ("abc,bcd->ad", (3,), "d", (2, 5, 4), 20),
    ("abc,bcd->abd", (5, 3), "bd", (2, 5, 4), 4),  # a kernel for each b
    ("...x,xy->...y", (3,), "y", (2, 5, 4), 4),
    ("...xz,xzy->...y", (3,), "y", (2, 5, 3, 4), 12),
    ("ab...,bc->ac...", (3, 5), None, (2, 4, 5), 4),
]


def make(equation, output_shape, bias_axes, shape, **arguments):
    layer = AsymEinsumDense(equation, output_shape, bias_axes=bias_axes, **arguments)
    layer.build(shape)
    return layer


@pytest.mark.parametrize(("equation", "output", "bias", "shape", "fan_in"), EQUATIONS)
def test_gradients_by_hand(equation, output, bias, shape, fan_in, gradients):
    layer = make(equation, output, bias, shape, feedback="frSF")
    w, v = layer.kernel.numpy(), layer.feedback_kernel.numpy()
    x = normal(*shape)
    letters = len(equation.split(",")[0].replace("...", ""))
    forward = equation.replace("...", "mn"[: len(shape) - letters])
    subscripts, result = forward.split("->")
    left, right = subscripts.split(",")
    y, dx, dw, *_ = gradients(layer, x, error := normal(*layer(x).shape))
    bias_value = 0 if bias is None else layer.bias.numpy()
    np.testing.assert_allclose(y, np.einsum(forward, x, w) + bias_value, **CLOSE)
    np.testing.assert_allclose(
        dx, np.einsum(f"{result},{right}->{left}", error, v), **CLOSE
    )
    np.testing.assert_allclose(
        dw, np.einsum(f"{left},{result}->{right}", x, error), **CLOSE
    )


@pytest.mark.parametrize(("equation", "output", "bias", "shape", "fan_in"), EQUATIONS)
def test_gradients_are_those_of_einsum_dense_with_v(
    equation, output, bias, shape, fan_in, gradients, stock_gradients
):
    layer = make(equation, output, bias, shape, activation="tanh", feedback="frSF")
    x = normal(*shape)
    error = normal(*layer(x).shape)
    actual = gradients(layer, x, error)
    expected = stock_gradients(layer, x, error, v=layer.feedback_kernel)
    assert len(actual) == 3 + (bias is not None)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, **CLOSE)


@pytest.mark.parametrize(("equation", "output", "bias", "shape", "fan_in"), EQUATIONS)
def test_nusf_divides_by_the_inputs_that_an_output_sums(
    equation, output, bias, shape, fan_in
):
    layer = make(equation, output, bias, shape, feedback="NuSF")
    np.testing.assert_allclose(
        layer.feedback_kernel, np.sign(layer.kernel) / fan_in, rtol=1e-6
    )
    # By definition: with all inputs and weights 1, the sum is their number.
    layer.kernel.assign(np.ones(layer.kernel.shape))
    outputs = layer(np.ones(shape, "float32")).numpy()
    np.testing.assert_allclose(outputs, np.full(outputs.shape, fan_in), rtol=1e-6)
