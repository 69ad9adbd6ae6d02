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


def test_loaded_weights_leave_alpha_as_it_is(tmp_path):
    def make_model(alpha):
        norm = BatchNormalization(alpha=alpha)
        return keras.Sequential([keras.Input((2,)), norm])

    saved, loaded = make_model(0.05), make_model(0.5)
    saved.layers[0].moving_mean.assign([[1.0, 2.0]])
    saved.save_weights(tmp_path / "model.weights.h5")
    loaded.load_weights(tmp_path / "model.weights.h5")
    assert float(loaded.layers[0].rate) == 0.5
    np.testing.assert_array_equal(loaded.layers[0].moving_mean, [[1.0, 2.0]])


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


@pytest.mark.parametrize("alpha", [0, -0.1, 1.1, float("nan"), "0.05", None])
def test_refuses_an_invalid_alpha(alpha):
    with pytest.raises(ValueError, match="`alpha` must be a number in the range"):
        BatchNormalization(alpha=alpha)


@pytest.mark.parametrize("epsilon", [-1e-3, float("nan"), "1e-5", None])
def test_refuses_an_invalid_epsilon(epsilon):
    with pytest.raises(ValueError, match="`epsilon` must be a number in the range"):
        BatchNormalization(epsilon=epsilon)


def stock_like(norm):
    """Keras's layer with the averages of `norm`, and without gain and offset."""
    layer = keras.layers.BatchNormalization(
        axis=norm.axis, epsilon=EPSILON, center=False, scale=False, momentum=0.75
    )
    if norm.built:
        layer.build(norm.moving_mean.shape)
        layer.moving_mean.assign(np.ravel(norm.moving_mean))
        layer.moving_variance.assign(np.ravel(norm.moving_stddev) ** 2 - EPSILON)
    return layer


def averages(layer):
    names = ("moving_mean", "moving_stddev", "rate")
    return [getattr(layer, name).numpy() for name in names]


@pytest.mark.parametrize("axis", [1, 2, 3, -1, -2])
def test_axis_as_in_keras(axis):
    norm = BatchNormalization(axis=axis, alpha=0.25, epsilon=EPSILON)
    stock = stock_like(norm)
    x, error = map(tf.constant, batches(8, 4, 3, 2, number=2))
    found = []
    for layer in (norm, stock):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
        found.append((y, tape.gradient(y, x, error), np.ravel(layer.moving_mean)))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, **CLOSE)
    sizes = [1] * 4
    sizes[axis] = x.shape[axis]
    assert list(norm.moving_mean.shape) == list(norm.moving_stddev.shape) == sizes
    np.testing.assert_allclose(norm(x), stock_like(norm)(x), **CLOSE)
    assert norm.compute_output_shape(x.shape) == x.shape


def test_channels_first_is_channels_last_transposed():
    first, last = (
        BatchNormalization(learnable=True, axis=axis, epsilon=EPSILON)
        for axis in (1, -1)
    )
    first.build((None, 2, 4, 3))
    last.build((None, 4, 3, 2))
    for name in ("gain", "offset"):
        value = batches(2, number=1)
        getattr(first, name).assign(value.reshape((1, 2, 1, 1)))
        getattr(last, name).assign(value.reshape((1, 1, 1, 2)))
    x = batches(8, 4, 3, 2, number=1)[0]
    for training in (True, False):
        outputs = first(np.moveaxis(x, 3, 1), training=training)
        expected = last(x, training=training)
        np.testing.assert_allclose(np.moveaxis(outputs, 1, 3), expected, **CLOSE)


def test_the_axis_makes_no_difference_per_element():
    x = batches(8, 4, 3, number=1)[0]
    last, first = (BatchNormalization(per="element", axis=axis) for axis in (-1, 1))
    np.testing.assert_array_equal(last(x, training=True), first(x, training=True))
    np.testing.assert_array_equal(last.moving_stddev, first.moving_stddev)


@pytest.mark.parametrize("axis", [[1], (1, 2), 1.0, "1", None])
def test_refuses_an_invalid_axis(axis):
    with pytest.raises(ValueError, match="`axis` must be one integer"):
        BatchNormalization(axis=axis)


@pytest.mark.parametrize("axis", [2, -3])
def test_refuses_an_axis_that_inputs_lack(axis):
    norm = BatchNormalization(axis=axis, name="norm")
    message = f"'norm' must be an axis of its inputs, which have rank 2.*axis={axis}"
    with pytest.raises(ValueError, match=message):
        norm(np.zeros((4, 3)))
    with pytest.raises(ValueError, match=message):
        norm.compute_output_shape((4, 3))


@pytest.mark.parametrize(
    ("settings", "shape", "axes"),
    [
        ({}, (5, None), "2"),
        ({"axis": 1}, (None, 5), "1"),
        ({"axis": 0}, (5, 5), "0"),
        ({"per": "element"}, (None, 5), "1, 2"),
    ],
)
def test_refuses_an_unknown_size(settings, shape, axes):
    norm = BatchNormalization(name="norm", **settings)
    message = rf"'norm' keeps averages per .*axes \[{axes}\] of its inputs must have"
    with pytest.raises(ValueError, match=message):
        norm(keras.Input(shape))


def test_other_sizes_may_be_unknown():
    norm = BatchNormalization(axis=1, epsilon=EPSILON)
    inputs = keras.Input((2, None, None))
    model = keras.Model(inputs, norm(inputs))
    for size in (3, 5):
        x = batches(4, 2, size, size, number=1)[0]
        mean, variance = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3))
        expected = (x - mean) / np.sqrt(variance[:, None, None] + EPSILON)
        np.testing.assert_allclose(model(x, training=True), expected, **CLOSE)


@pytest.mark.parametrize(
    ("per", "shape"), [("channel", (4, 4)), ("element", (2, 3)), ("channel", (4, 2, 3))]
)
def test_refuses_inputs_of_another_shape(per, shape):
    norm = BatchNormalization(per=per)
    norm.build((None, 3, 3) if per == "element" else (None, 3))
    with pytest.raises(ValueError, match="incompatible with the layer"):
        norm(np.zeros(shape))


# Whole samples, single timesteps, one timestep in all.
MASKS = [
    np.array([[True] * 5, [False] * 5, [True] * 5, [False] * 5]),
    np.random.default_rng(1).random((4, 5)) < 0.5,
    np.arange(20).reshape(4, 5) == 7,
]


@pytest.mark.parametrize("mask", [*MASKS, np.ones((4, 5), bool)])
@pytest.mark.parametrize("axis", [-1, 2])
def test_masks_as_in_keras(mask, axis):
    norm = BatchNormalization(axis=axis, alpha=0.25, epsilon=EPSILON)
    stock = stock_like(norm)
    x, error = map(tf.constant, batches(4, 5, 3, number=2))
    found = []
    for layer in (norm, stock):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True, mask=tf.constant(mask))
        gradient = tape.gradient(y, x, error)
        found.append((y, gradient, np.ravel(layer.moving_mean), layer(x, mask=mask)))
    *ours, tested = found[0]
    *theirs, _ = found[1]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
    # In testing the mask makes no difference.
    np.testing.assert_array_equal(tested, norm(x))
    values = x.numpy()[mask]
    stddev = 1 + 0.25 * (np.sqrt(values.var(0) + EPSILON) - 1)
    np.testing.assert_allclose(np.ravel(norm.moving_stddev), stddev, **CLOSE)


def test_masks_of_axis_1_as_in_keras():
    # As in Keras a mask is for all axes but the last, wherever the channels are.
    x, error = map(tf.constant, batches(4, 5, 3, number=2))
    mask = MASKS[0] ^ (np.arange(5) == 2)
    norm = BatchNormalization(axis=1, alpha=0.25, epsilon=EPSILON)
    found = []
    for layer in (norm, stock_like(norm)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True, mask=tf.constant(mask))
        found.append((y, tape.gradient(y, x, error), np.ravel(layer.moving_mean)))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("settings", [{}, {"per": "element"}, {"axis": 1}])
def test_masked_inputs_do_not_count(settings):
    x = batches(4, 5, 3, number=1)[0]
    mask = MASKS[1]
    other = np.where(mask[..., None], x, 1e30).astype("float32")
    results = []
    for inputs in (x, other):
        norm = BatchNormalization(**settings)
        outputs = norm(inputs, training=True, mask=mask)
        results.append((np.array(outputs)[mask], *averages(norm)))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_full_mask_is_none():
    for settings in ({}, {"per": "element"}, {"axis": 1}):
        x, error = map(tf.constant, batches(4, 5, 3, number=2))
        results = []
        for mask in (None, tf.ones((4, 5), tf.bool)):
            norm = BatchNormalization(epsilon=EPSILON, **settings)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = norm(x, training=True, mask=mask)
            results.append((y, tape.gradient(y, x, error), *averages(norm)))
        for a, b in zip(*results, strict=True):
            np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("epsilon", [0.0, EPSILON])
@pytest.mark.parametrize("settings", [{}, {"per": "element"}, {"axis": 1}])
def test_an_entirely_masked_batch_is_normalized_by_the_averages(settings, epsilon):
    norm = BatchNormalization(epsilon=epsilon, **settings)
    x, other = map(tf.constant, batches(4, 5, 3, number=2))
    norm(other, training=True)
    before = averages(norm)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = norm(x, training=True, mask=tf.zeros((4, 5), tf.bool))
    np.testing.assert_array_equal(y, norm(x))
    # As in testing, too: mean and standard deviation are constants.
    gradient = np.broadcast_to(1 / norm.moving_stddev, x.shape)
    np.testing.assert_allclose(tape.gradient(y, x), gradient, **CLOSE)
    for a, b in zip(before, averages(norm), strict=True):
        np.testing.assert_array_equal(a, b)


def test_elements_that_a_batch_masks_keep_their_averages():
    norm = BatchNormalization(per="element", alpha=1.0, epsilon=EPSILON)
    x = batches(4, 5, 3, number=1)[0]
    mask = np.arange(5) < np.array([[2], [3], [1], [2]])  # padded sequences
    norm(x, training=True, mask=mask)
    mean, stddev, _ = averages(norm)
    np.testing.assert_array_equal(mean[0, 3:], np.zeros((2, 3)))
    np.testing.assert_array_equal(stddev[0, 3:], np.ones((2, 3)))
    np.testing.assert_allclose(mean[0, 0], x[:, 0].mean(0), **CLOSE)
    np.testing.assert_allclose(mean[0, 1], x[[0, 1, 3], 1].mean(0), **CLOSE)
    np.testing.assert_allclose(mean[0, 2], x[1, 2], **CLOSE)


def test_a_mask_is_passed_on():
    norm = BatchNormalization(epsilon=EPSILON)
    model = keras.Sequential([keras.Input((5, 3)), keras.layers.Masking(), norm])
    x = batches(4, 5, 3, number=1)[0]
    x[~MASKS[1]] = 0
    outputs = model(x, training=True)
    np.testing.assert_array_equal(outputs._keras_mask, MASKS[1])
    seen = np.array(outputs)[MASKS[1]]
    np.testing.assert_allclose(seen.mean(0), np.zeros(3), atol=1e-5)
    np.testing.assert_allclose(seen.std(0), np.ones(3), rtol=1e-3)


@pytest.mark.parametrize("shape", [(4,), (4, 5, 3), (4, 5, 1, 1)])
def test_refuses_a_mask_of_another_rank(shape):
    norm = BatchNormalization(name="norm")
    with pytest.raises(ValueError, match="mask of layer 'norm' must have the shape"):
        norm(np.zeros((4, 5, 3)), mask=np.ones(shape, bool))


@pytest.mark.parametrize("settings", [{}, {"per": "element"}, {"axis": 1}])
def test_a_frozen_layer_is_in_inference_mode(settings):
    norm = BatchNormalization(learnable=True, epsilon=EPSILON, **settings)
    x, other = batches(8, 4, 3, number=2)
    norm(other, training=True)
    expected, before = norm(x), averages(norm)
    norm.trainable = False
    np.testing.assert_array_equal(norm(x, training=True), expected)
    for a, b in zip(before, averages(norm), strict=True):
        np.testing.assert_array_equal(a, b)
    norm.trainable = True
    assert np.any(norm(x, training=True) != expected)
    assert np.all(norm.moving_mean != before[0])


def test_an_error_passes_a_frozen_layer_as_in_keras():
    norm = BatchNormalization(epsilon=EPSILON, trainable=False)
    norm.build((None, 3))
    norm.moving_mean.assign([[1.0, 2.0, 3.0]])
    norm.moving_stddev.assign([[0.5, 2.0, 4.0]])
    x, error = map(tf.constant, batches(8, 3, number=2))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = norm(x, training=True)
    expected = error / [[0.5, 2.0, 4.0]]
    np.testing.assert_allclose(tape.gradient(y, x, error), expected, **CLOSE)
    np.testing.assert_allclose(y, stock_like(norm)(x), **CLOSE)


def two_layers(make):
    """A base with two normalizations, and a model on top of it."""
    base = keras.Sequential(
        [keras.Input((3,)), make(), keras.layers.Dense(4, name="inner"), make()],
        name="base",
    )
    return keras.Sequential([keras.Input((3,)), base, keras.layers.Dense(1)])


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_outputs_of_a_frozen_base_stay_in_fit(jit_compile):
    x = batches(16, 3, number=1)[0]
    model = two_layers(BatchNormalization)
    base = model.layers[0]
    base.trainable = False
    model.compile("sgd", "mse", jit_compile=jit_compile)
    before = base.predict(x, verbose=0)
    head = model.layers[1].kernel.numpy()
    model.fit(x, np.zeros((16, 1)), verbose=0)
    np.testing.assert_array_equal(base.predict(x, verbose=0), before)
    assert np.any(model.layers[1].kernel != head)


@pytest.mark.parametrize("frozen", [0, 2])
def test_one_frozen_layer_leaves_the_other_alone(frozen):
    x = batches(16, 3, number=1)[0]
    model = two_layers(BatchNormalization)
    norms = [model.layers[0].layers[number] for number in (frozen, 2 - frozen)]
    norms[0].trainable = False
    model.compile("sgd", "mse")
    before = [averages(norm) for norm in norms]
    model.fit(x, np.zeros((16, 1)), verbose=0)
    np.testing.assert_array_equal(norms[0].moving_mean, before[0][0])
    np.testing.assert_array_equal(norms[0].moving_stddev, before[0][1])
    assert np.all(norms[1].moving_mean != before[1][0])


@pytest.mark.parametrize("make", [BatchNormalization, keras.layers.BatchNormalization])
def test_freezing_takes_effect_when_compiled_as_in_keras(make):
    x, y = batches(16, 3, number=1)[0], np.zeros((16, 1))
    model = two_layers(make)
    norm = model.layers[0].layers[0]
    moved = []

    def fit():
        before = norm.moving_mean.numpy()
        model.fit(x, y, verbose=0)
        moved.append(bool(np.any(norm.moving_mean != before)))

    model.compile("sgd", "mse")
    fit()
    model.layers[0].trainable = False
    fit()
    model.compile("sgd", "mse")
    fit()
    model.layers[0].trainable = True
    model.compile("sgd", "mse")
    fit()
    assert moved == [True, True, False, True]


def test_a_frozen_layer_uses_batch_statistics_if_asked_to():
    x = batches(8, 3, number=1)[0]
    outputs, after = [], []
    for settings in ({}, {"trainable": False, "batch_statistics_when_frozen": True}):
        norm = BatchNormalization(learnable=True, **settings)
        assert norm.uses_batch_statistics
        outputs.append(norm(x, training=True))
        after.append(averages(norm))
    assert norm.trainable_weights == []
    np.testing.assert_array_equal(*outputs)
    for a, b in zip(*after, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not BatchNormalization(trainable=False).uses_batch_statistics


@pytest.mark.parametrize("policy", ["float16", "bfloat16", "float64"])
def test_moments_are_at_least_float32(policy):
    norm = BatchNormalization(learnable=True, dtype=policy)
    # The sum of these squares overflows float16.
    x = tf.cast(100 * batches(64, 3, number=1)[0], policy)
    outputs = norm(x, training=True)
    assert outputs.dtype == norm(x).dtype == norm.moving_mean.dtype == policy
    stored = tf.cast(x, tf.float64).numpy()
    expected = (stored - stored.mean(0)) / stored.std(0)
    atol = 1e-6 if policy == "float64" else 0.02
    np.testing.assert_allclose(tf.cast(outputs, tf.float64), expected, atol=atol)


def test_arguments_are_saved(tmp_path):
    norm = BatchNormalization(
        axis=1, trainable=False, batch_statistics_when_frozen=True, learnable=True
    )
    model = keras.Sequential([keras.Input((2, 5)), norm])
    x = batches(4, 2, 5, number=1)[0]
    model(x, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    twin = loaded.layers[0]
    assert twin.get_config() == norm.get_config()
    assert (twin.axis, twin.trainable, twin.batch_statistics_when_frozen) == (
        *(1, False, True),
    )
    np.testing.assert_array_equal(loaded(x, training=True), model(x, training=True))


def test_configs_and_variables_of_earlier_versions():
    config = {
        "name": "batch_normalization",
        "trainable": True,
        "dtype": "float32",
        "learnable": True,
        "per": "channel",
        "alpha": 0.05,
        "epsilon": 1e-5,
    }
    norm = BatchNormalization.from_config(config)
    assert (norm.axis, norm.batch_statistics_when_frozen) == (-1, False)
    norm.build((None, 4, 3, 2))
    assert [(v.name, tuple(v.shape)) for v in norm.weights] == [
        ("gain", (1, 1, 1, 2)),
        ("offset", (1, 1, 1, 2)),
        ("moving_mean", (1, 1, 1, 2)),
        ("moving_stddev", (1, 1, 1, 2)),
        ("rate", ()),
    ]
