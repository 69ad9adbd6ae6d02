import json

import keras
import numpy as np
import pytest

from keras_asymbp import AsymDense, feedbacks, metrics, random


def test_v_is_drawn_once_independent_of_w(make_layer, backward_kernel):
    layer = make_layer(feedbacks.FixedRandom(stddev=0.5, seed=11))
    v = random.normal((2, 3), 11, 0.5)
    np.testing.assert_array_equal(layer.feedback_kernel, v)
    np.testing.assert_array_equal(backward_kernel(layer), v)
    layer.kernel.assign(-layer.kernel)
    np.testing.assert_array_equal(backward_kernel(layer), v)


def test_the_default_standard_deviation_is_the_paper_s():
    layer = AsymDense(300, feedback="RndF")
    layer.build((None, 300))
    v = np.asarray(layer.feedback_kernel)
    assert v.std() == pytest.approx(0.05, rel=0.02)
    assert v.mean() == pytest.approx(0, abs=0.001)


def test_v_is_independent_of_the_initializer_of_w():
    # With one stream for both V would be W: backpropagation.
    for seed in (None, 4):
        layer = AsymDense(
            100,
            kernel_initializer=keras.initializers.RandomNormal(seed=seed),
            feedback=feedbacks.FixedRandom(seed=seed),
        )
        layer.build((None, 120))
        v, w = np.ravel(layer.feedback_kernel), np.ravel(layer.kernel)
        assert abs(np.corrcoef(v, w)[0, 1]) < 0.05


@pytest.mark.parametrize(
    "stddev", ["0.1", None, -0.1, float("nan"), float("inf"), True]
)
def test_refuses_an_invalid_standard_deviation(stddev):
    with pytest.raises(ValueError, match="`stddev` must be a number in the range"):
        feedbacks.FixedRandom(stddev=stddev)


@pytest.mark.parametrize("seed", [-1, 2**31, 0.5])
def test_refuses_an_invalid_seed(seed):
    with pytest.raises(ValueError, match="`seed` must be None or an integer"):
        feedbacks.FixedRandom(seed=seed)


def test_a_seed_of_numpy_is_stored_as_python_s():
    rule = feedbacks.FixedRandom(stddev=np.float32(0.5), seed=np.int64(3))
    assert type(rule.seed) is int
    assert json.loads(json.dumps(rule.get_config())) == rule.get_config()
    assert rule.sibling(1).seed == feedbacks.FixedRandom(seed=3).sibling(1).seed


def test_learning_brings_the_angle_of_w_and_v_below_90_degrees():
    """Feedback alignment as in Lillicrap et al. 2014: W approaches V."""
    keras.utils.set_random_seed(0)
    upper = AsymDense(10, feedback=feedbacks.FixedRandom(seed=1, stddev=0.3))
    model = keras.Sequential(
        [keras.Input((20,)), keras.layers.Dense(30, activation="tanh"), upper]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x = np.random.default_rng(1).normal(size=(512, 20))
    y = x @ np.random.default_rng(2).normal(size=(20, 10)) / 4
    before = metrics.angle(upper.kernel, upper.feedback_kernel)
    assert before == pytest.approx(90, abs=5)
    loss = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=40, batch_size=16, verbose=0)
    assert metrics.angle(upper.kernel, upper.feedback_kernel) < 75
    assert model.evaluate(x, y, verbose=0) < loss / 2
