import keras
import numpy as np
import pytest

from keras_asymbp import AsymDense, feedbacks, metrics, random

RATE, DECAY = 0.1, 0.5


def make_model(rule, **arguments):
    """Two layers; the upper one sends its error back along a path that learns."""
    upper = AsymDense(4, feedback=rule, **arguments)
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, activation="tanh"), upper]
    )
    optimizer = keras.optimizers.SGD(RATE, weight_decay=DECAY)
    model.compile(optimizer, keras.losses.MeanSquaredError("sum"))
    return model, upper


def path(layer):
    """R and B."""
    r, b = sorted(layer.feedback.weights, key=lambda weight: not weight.trainable)
    return np.asarray(r), np.asarray(b)


def test_v_is_the_product_of_two_random_matrices(make_layer, backward_kernel):
    rule = feedbacks.ProductFeedbackAlignment(expansion=4, stddev=0.5, seed=11)
    layer = make_layer(rule, [[1.0, 2, 3], [4, 5, 6]])
    r, b = path(layer)
    np.testing.assert_array_equal(r, random.normal((2, 12), 11, 0.5))
    other = random.normal((12, 3), random.derive_seed(11, 1), 12**-0.5)
    np.testing.assert_array_equal(b, other)
    np.testing.assert_allclose(backward_kernel(layer), r @ b, rtol=1e-5)
    np.testing.assert_allclose(layer.feedback_kernel, r @ b, rtol=1e-5)


def test_an_update_matches_numpy():
    model, layer = make_model(feedbacks.ProductFeedbackAlignment(expansion=3))
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(8, 6)), generator.normal(size=(8, 4))
    w1, w = (np.asarray(each.kernel) for each in model.layers)
    r, b = path(layer)
    h = np.tanh(x @ w1)
    e = 2 * (h @ w - y) / 4
    through = e @ b.T  # the error of the neurons on the path
    below = (through @ r.T) * (1 - h**2)
    model.train_on_batch(x, y)

    def updated(weight, gradient):
        return (1 - RATE * DECAY) * weight - RATE * gradient

    close = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(path(layer)[0], updated(r, h.T @ through), **close)
    np.testing.assert_array_equal(path(layer)[1], b)
    np.testing.assert_allclose(layer.kernel, updated(w, h.T @ e), **close)
    np.testing.assert_allclose(
        model.layers[0].kernel, updated(w1, x.T @ below), **close
    )


def test_training_aligns_the_path_and_neither_of_its_matrices():
    """The paper's claim: V = R B becomes W, but for the noise of B^T B."""
    model, layer = make_model(feedbacks.ProductFeedbackAlignment(seed=11))
    generator = np.random.default_rng(1)
    x = generator.normal(size=(64, 6))
    y = np.tanh(x @ generator.normal(size=(6, 4))) / 2
    w, (r, b) = layer.kernel.numpy(), path(layer)
    difference = r - w @ b.T
    assert metrics.angle(w, r @ b) > 60
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=15, batch_size=8, verbose=0)
    assert model.evaluate(x, y, verbose=0) < before / 2
    w, (r, b) = layer.kernel.numpy(), path(layer)
    # R - W B^T shrinks by 1 - d a step, whatever is learned.
    decayed = difference * (1 - RATE * DECAY) ** (15 * 8)
    np.testing.assert_allclose(r - w @ b.T, decayed, atol=1e-4)
    assert metrics.angle(w, layer.feedback_kernel) < 25  # 17.5 on average
    # Each of the ten blocks of R that have W's shape is a random mixture of W.
    blocks = r.reshape(5, 10, 4).transpose(1, 0, 2)
    angles = [metrics.angle(w, block) for block in blocks]
    assert np.mean(angles) == pytest.approx(90, abs=20)


@pytest.mark.parametrize("expansion", [0, -1, 1.5, True, "10"])
def test_refuses_an_invalid_expansion(expansion):
    with pytest.raises(ValueError, match="`expansion` must be an integer of 1 or more"):
        feedbacks.ProductFeedbackAlignment(expansion=expansion)


def test_refuses_a_constraint_of_the_kernel():
    with pytest.raises(ValueError, match=r"`kernel_constraint`.*Received: NonNeg"):
        make_model("PFA", kernel_constraint="non_neg")
