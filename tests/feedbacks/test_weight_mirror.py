import keras
import numpy as np
import pytest

from keras_asymbp import (
    AsymConv2D,
    AsymDense,
    AsymDepthwiseConv2D,
    AsymSeparableConv2D,
    feedbacks,
    metrics,
    mirror_feedback,
)

SEED = 11


def noise(shape, seed, draw, draw_bits):
    words = draw_bits(int(np.prod(shape)), seed, 2 * draw).reshape(shape)
    return np.sqrt(3) * (2 * (words // 2**8) / 2**24 - 1)


def test_a_step_follows_the_formula(draw_bits):
    layer = AsymDense(4, feedback=feedbacks.WeightMirror(rate=0.25, seed=SEED))
    model = keras.Sequential([keras.Input((6,)), layer])
    w, v = layer.kernel.numpy(), np.asarray(layer.feedback_kernel)
    mirror_feedback(model, np.zeros((8, 6), "float32"), steps=3)
    for draw in (1, 2, 3):
        xi = noise((8, 6), SEED, draw, draw_bits)
        v = 0.75 * v + 0.25 * xi.T @ (xi @ w) / 8
    np.testing.assert_allclose(layer.feedback_kernel, v, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(layer.kernel, w)


def test_the_error_travels_through_v(make_layer, backward_kernel):
    layer = make_layer(feedbacks.WeightMirror(seed=SEED))
    np.testing.assert_array_equal(backward_kernel(layer), layer.feedback_kernel)
    v = layer.feedback_kernel
    mirror_feedback(layer, np.zeros((5, 2), "float32"), steps=2)
    assert np.all(layer.feedback_kernel != v)
    np.testing.assert_array_equal(backward_kernel(layer), layer.feedback_kernel)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda rule: AsymDense(30, feedback=rule), (40,)),
        (lambda rule: AsymConv2D(8, 3, padding="same", feedback=rule), (6, 6, 5)),
        (lambda rule: AsymConv2D(8, 3, strides=2, groups=2, feedback=rule), (9, 9, 4)),
        (lambda rule: AsymDepthwiseConv2D(3, feedback=rule), (8, 8, 4)),
        (lambda rule: AsymSeparableConv2D(6, 3, feedback=rule), (8, 8, 4)),
    ],
    ids=["dense", "conv, same", "conv, groups", "depthwise", "separable"],
)
def test_mirroring_brings_the_angle_below_20_degrees(layer, shape):
    """From noise only: no error, no label, no update of the weights."""
    layer = layer("WM")
    model = keras.Sequential([keras.Input(shape), layer])
    angles = [metrics.angle(w, v) for _, w, v in layer.feedback_pairs()]
    assert min(angles) > 45
    mirror_feedback(model, steps=200)
    for _, w, v in layer.feedback_pairs():
        assert metrics.angle(w, v) < 20
        assert metrics.norm_ratio(w, v) == pytest.approx(1, abs=0.2)


def test_layers_and_steps_have_independent_noise():
    layers = [
        AsymDense(
            6, feedback=feedbacks.WeightMirror(stddev=0), kernel_initializer="ones"
        )
        for _ in "12"
    ]
    model = keras.Sequential([keras.Input((6,)), *layers])
    mirror_feedback(model)
    first, second = (np.asarray(layer.feedback_kernel) for layer in layers)
    assert np.all(first != second)
    mirror_feedback(model)
    assert np.all(np.abs(layers[0].feedback_kernel - first * 1.98) > 1e-7)


@pytest.mark.parametrize("rate", ["0.1", None, 0, -0.1, 1.1, float("nan")])
def test_refuses_an_invalid_rate(rate):
    with pytest.raises(
        ValueError, match=r"`rate` must be a number in the range \(0, 1\]"
    ):
        feedbacks.WeightMirror(rate=rate)
