import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import BatchNormalization

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
EPSILON = 1e-3


def batches(*shape, number=3):
    generator = np.random.default_rng(0)
    return 2 + 3 * generator.normal(size=(number, *shape)).astype("float32")


def moments(x, per):
    """Returns mean and standard deviation, per channel or per element of a sample."""
    axes = tuple(range(x.ndim - 1)) if per == "channel" else (0,)
    mean = x.mean(axes, keepdims=True)
    return mean, np.sqrt(x.var(axes, keepdims=True) + EPSILON)


@pytest.mark.parametrize("per", ["channel", "element"])
@pytest.mark.parametrize("shape", [(8, 5), (8, 4, 3, 2)])
def test_training_and_testing(shape, per):
    alpha = 0.25
    norm = BatchNormalization(per=per, alpha=alpha, epsilon=EPSILON)
    x = batches(*shape)
    average_mean, average_stddev = 0, 1
    for batch in x:
        mean, stddev = moments(batch, per)
        outputs = norm(batch, training=True)
        np.testing.assert_allclose(outputs, (batch - mean) / stddev, **CLOSE)
        # Standard deviations are averaged, not variances.
        average_mean = average_mean + alpha * (mean - average_mean)
        average_stddev = average_stddev + alpha * (stddev - average_stddev)
    expected = (x[0] - average_mean) / average_stddev
    np.testing.assert_allclose(norm.moving_mean, average_mean, **CLOSE)
    np.testing.assert_allclose(norm.moving_stddev, average_stddev, **CLOSE)
    np.testing.assert_allclose(norm(x[0]), expected, **CLOSE)
    np.testing.assert_allclose(norm(x[0], training=False), expected, **CLOSE)
    # Testing doesn't change the averages.
    np.testing.assert_allclose(norm.moving_mean, average_mean, **CLOSE)


def test_shapes_per_channel_and_per_element():
    for per, shape in (("channel", (1, 1, 1, 2)), ("element", (1, 4, 3, 2))):
        norm = BatchNormalization(per=per)
        norm.build((None, 4, 3, 2))
        assert norm.moving_mean.shape == norm.moving_stddev.shape == shape


def test_gradients_go_through_the_moments():
    norm, stock = (
        BatchNormalization(epsilon=EPSILON),
        keras.layers.BatchNormalization(epsilon=EPSILON),
    )
    x, error = map(tf.constant, batches(8, 5, number=2))
    gradients = []
    for layer in (norm, stock):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
        gradients.append(tape.gradient(y, x, error))
    np.testing.assert_allclose(*gradients, **CLOSE)


def test_gain_and_offset_are_off_by_default():
    norm = BatchNormalization()
    norm.build((None, 3))
    assert not norm.trainable_weights


def test_learnable():
    norm = BatchNormalization(learnable=True, epsilon=EPSILON)
    norm.build((None, 3))
    assert len(norm.trainable_weights) == 2
    gain, offset = np.array([[2.0, -1.0, 3.0]]), np.array([[5.0, 0.0, 1.0]])
    norm.gain.assign(gain)
    norm.offset.assign(offset)
    (x,) = batches(8, 3, number=1)
    mean, stddev = moments(x, "channel")
    expected = (x - mean) / stddev * gain + offset
    np.testing.assert_allclose(norm(x, training=True), expected, **CLOSE)
    norm = BatchNormalization(learnable=True)
    norm(x, training=True)
    np.testing.assert_array_equal(norm.gain, np.ones((1, 3)))
    np.testing.assert_array_equal(norm.offset, np.zeros((1, 3)))


def test_a_constant_input_does_not_divide_by_zero():
    outputs = BatchNormalization()(np.full((4, 2), 7.0), training=True)
    np.testing.assert_array_equal(outputs, np.zeros((4, 2)))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision(policy):
    norm = BatchNormalization(dtype=policy)
    # The square of 300 overflows float16.
    x = tf.cast(100 * batches(64, 3, number=1)[0], norm.compute_dtype)
    outputs = norm(x, training=True)
    assert outputs.dtype == norm.compute_dtype
    assert norm.moving_mean.dtype == "float32"
    stored = tf.cast(x, tf.float32).numpy()
    expected = (stored - stored.mean(0)) / stored.std(0)
    np.testing.assert_allclose(tf.cast(outputs, tf.float32), expected, atol=0.02)


def test_training_in_fit_and_saving(tmp_path):
    norm = BatchNormalization(learnable=True, per="element", alpha=0.5)
    model = keras.Sequential([keras.Input((2, 3)), norm, keras.layers.Dense(1)])
    for jit_compile in (False, True):
        model.compile("sgd", "mse", jit_compile=jit_compile)
        x = batches(4, 2, 3, number=1)[0]
        before = norm.moving_mean.numpy()
        model.fit(x, np.zeros((4, 2, 1)), verbose=0)
        assert np.all(norm.moving_mean.numpy() != before)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].get_config() == norm.get_config()
    for ours, theirs in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(loaded(x), model(x))


@pytest.mark.parametrize("per", ["layer", None, "Channel"])
def test_refuses_an_invalid_per(per):
    with pytest.raises(ValueError, match="`per` must be 'channel' or 'element'"):
        BatchNormalization(per=per)


@pytest.mark.parametrize("alpha", [0, -0.1, 1.1, float("nan")])
def test_refuses_an_invalid_alpha(alpha):
    with pytest.raises(ValueError, match="`alpha` must be above 0 and at most 1"):
        BatchNormalization(alpha=alpha)
