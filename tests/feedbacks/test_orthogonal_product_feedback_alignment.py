import keras
import numpy as np
import pytest

from keras_asymbp import (
    AsymConv2D,
    AsymConv2DTranspose,
    AsymDense,
    AsymDepthwiseConv2D,
    AsymEinsumDense,
    feedbacks,
    metrics,
)


def path(layer):
    """The variables of R and B."""
    return sorted(layer.feedback.weights, key=lambda weight: not weight.trainable)


@pytest.mark.parametrize("expansion", [1, 3])
def test_the_columns_of_b_are_orthonormal(make_layer, expansion):
    rule = feedbacks.OrthogonalProductFeedbackAlignment(expansion, seed=11)
    layer = make_layer(rule, np.ones((2, 5)))
    _, b = path(layer)
    assert b.shape == (5 * expansion, 5)
    np.testing.assert_allclose(b.numpy().T @ b, np.eye(5), atol=1e-6)
    # Seen from the first: random, and no permutation.
    assert np.abs(np.abs(b.numpy()) - 1).min() > 0.01


@pytest.mark.parametrize(
    ("layer", "shape", "outputs"),
    [
        (lambda rule: AsymDense(5, feedback=rule), (4,), [1]),
        (lambda rule: AsymConv2D(5, 2, feedback=rule), (4, 4, 3), [3]),
        (lambda rule: AsymConv2DTranspose(5, 2, feedback=rule), (4, 4, 3), [2]),
        (
            lambda rule: AsymDepthwiseConv2D(2, depth_multiplier=5, feedback=rule),
            (4, 4, 3),
            [3],
        ),
        (
            lambda rule: AsymEinsumDense("abc,dce->abde", (4, 2, 5), feedback=rule),
            (4, 3),
            [0, 2],
        ),
    ],
    ids=["dense", "conv", "transposed", "depthwise", "einsum"],
)
def test_b_connects_the_outputs_of_each_layer(layer, shape, outputs):
    """V is W when R is W, seen through B, on the axes of the outputs."""
    layer = layer("PFA-o")
    layer.build((None, *shape))
    r, b = path(layer)
    w = layer.kernel.numpy()
    last = np.moveaxis(w, outputs, range(-len(outputs), 0))
    flat = last.reshape(-1, b.shape[1])
    assert np.abs(layer.feedback_kernel - w).max() > 0.1
    r.assign(flat @ b.numpy().T)
    np.testing.assert_allclose(layer.feedback_kernel, w, atol=1e-5)


def test_training_brings_v_to_w_and_r_to_a_rotation():
    """The paper's claim: backpropagation's error without a symmetric weight."""
    layer = AsymDense(8, feedback="PFA-o")
    model = keras.Sequential([keras.Input((6,)), layer])
    model.compile(keras.optimizers.SGD(0.05, momentum=0.5, weight_decay=2.0), "mse")
    generator = np.random.default_rng(1)
    x = generator.normal(size=(64, 6))
    y = x @ generator.normal(size=(6, 8))
    assert metrics.angle(layer.kernel, layer.feedback_kernel) > 60
    model.fit(x, y, epochs=10, batch_size=8, verbose=0)
    assert metrics.angle(layer.kernel, layer.feedback_kernel) < 5
    r, b = path(layer)
    assert r.shape == layer.kernel.shape
    assert metrics.angle(layer.kernel, r) > 60
    np.testing.assert_allclose(r, layer.kernel.numpy() @ b.numpy().T, atol=0.01)
