import keras
import numpy as np
import pytest

from keras_asymbp import AsymDense, feedbacks, metrics

SEED = 11


def noise(shape, draw, draw_bits):
    words = draw_bits(int(np.prod(shape)), SEED, 2 * draw).reshape(shape)
    return np.sqrt(3) * (2 * (words // 2**8) / 2**24 - 1)


def make_model(rule):
    layer = AsymDense(4, feedback=rule)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(6), layer])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model, layer


def test_each_update_of_w_is_a_step_of_the_formula(draw_bits):
    rule = feedbacks.PhaselessAlignment(rate=0.25, samples=8, seed=SEED)
    model, layer = make_model(rule)
    x, y = np.random.default_rng(1).normal(size=(2, 8, 6)).astype("float32")
    v = np.asarray(layer.feedback_kernel)
    for update in range(1, 5):
        model.train_on_batch(x, y[:, :4])
        xi = noise((8, 6), update, draw_bits)
        v = 0.75 * v + 0.25 * xi.T @ (xi @ layer.kernel.numpy()) / 8
        # That of the next gradient, which keeps it.
        np.testing.assert_allclose(layer.feedback_kernel, v, rtol=1e-4, atol=1e-6)
    assert rule.steps == 3  # the first gradient follows no update


def test_the_error_travels_through_v(make_layer, backward_kernel):
    layer = make_layer(feedbacks.PhaselessAlignment(seed=SEED))
    before = backward_kernel(layer)
    np.testing.assert_array_equal(before, layer.feedback_kernel)
    layer.kernel.assign(layer.kernel + 1)
    after = layer.feedback_kernel
    assert np.all(after != before)
    for _ in range(3):  # one step for one update, however many gradients
        np.testing.assert_array_equal(backward_kernel(layer), after)
        np.testing.assert_array_equal(layer.feedback_kernel, after)


def test_training_aligns_v_with_w_without_a_phase_or_a_callback():
    """The paper's claim: V follows W while the network learns its task."""
    model, layer = make_model("PAL")
    generator = np.random.default_rng(1)
    x = generator.normal(size=(300, 6))
    y = x @ generator.normal(size=(6, 4))
    before, loss = layer.kernel.numpy(), model.evaluate(x, y, verbose=0)
    assert metrics.angle(before, layer.feedback_kernel) > 60
    model.fit(x, y, batch_size=1, epochs=1, verbose=0)
    assert metrics.angle(layer.kernel, before) > 15
    assert metrics.angle(layer.kernel, layer.feedback_kernel) < 10
    ratio = metrics.norm_ratio(layer.kernel, layer.feedback_kernel)
    assert ratio == pytest.approx(1, abs=0.1)
    assert model.evaluate(x, y, verbose=0) < loss / 2
    v = layer.feedback_kernel
    model.evaluate(x, y, verbose=0)
    np.testing.assert_array_equal(layer.feedback_kernel, v)


@pytest.mark.parametrize("rate", ["0.1", None, 0, 1.1, float("nan")])
def test_refuses_an_invalid_rate(rate):
    with pytest.raises(
        ValueError, match=r"`rate` must be a number in the range \(0, 1\]"
    ):
        feedbacks.PhaselessAlignment(rate=rate)


@pytest.mark.parametrize("samples", [0, 1.5, True])
def test_refuses_an_invalid_number_of_samples(samples):
    with pytest.raises(ValueError, match="`samples` must be an integer of 1 or more"):
        feedbacks.PhaselessAlignment(samples=samples)
