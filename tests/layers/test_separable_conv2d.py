import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import AsymSeparableConv2D, feedbacks

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def make(feedback, shape=(2, 4, 5, 3), **arguments):
    layer = AsymSeparableConv2D(
        4, (3, 2), depth_multiplier=2, feedback=feedback, **arguments
    )
    layer.build(shape)
    return layer


def test_gradients_by_hand():
    # X * D = H, H P = Y: the error reaches H through P's V, and X through D's.
    layer = make("frSF")
    x, error = normal(2, 4, 5, 3), normal(2, 2, 4, 4)
    d, p = layer.depthwise_kernel.numpy(), layer.pointwise_kernel.numpy()
    vd, vp = (v.numpy() for v in layer.feedback_kernel)
    h = np.zeros((2, 2, 4, 3, 2))
    for a, b, i, j in np.ndindex(2, 4, 3, 2):
        h[:, a, b] += x[:, a + i, b + j, :, None] * d[i, j]
    channels = h.reshape(2, 2, 4, 6)
    dh = (error @ vp[0, 0].T).reshape(h.shape)
    dp = np.einsum("nabh,nabf->hf", channels, error)
    dx, dd = np.zeros(x.shape), np.zeros(d.shape)
    for a, b, i, j in np.ndindex(2, 4, 3, 2):
        dx[:, a + i, b + j] += np.sum(dh[:, a, b] * vd[i, j], axis=-1)
        dd[i, j] += np.einsum("nc,ncm->cm", x[:, a + i, b + j], dh[:, a, b])
    x = tf.constant(x)
    kernels = [layer.depthwise_kernel.value, layer.pointwise_kernel.value]
    with tf.GradientTape() as tape:
        tape.watch([x, *kernels])
        y = layer(x)
    actual = [y, *tape.gradient(y, [x, *kernels], error)]
    for a, e in zip(actual, (channels @ p[0, 0], dx, dd, dp[None, None]), strict=True):
        np.testing.assert_allclose(a, e, **CLOSE)


@pytest.mark.parametrize("rule", ["brSF", "frSF", "RndF"])
@pytest.mark.parametrize("seed", [None, 5])
def test_each_kernel_has_its_own_rule_and_stream(rule, seed):
    # Kernels of one shape: a shared stream would give equal numbers.
    rule = type(feedbacks.get(rule))(seed=seed)
    layer = AsymSeparableConv2D(
        24,
        1,
        depthwise_initializer="ones",
        pointwise_initializer="ones",
        feedback=rule,
    )
    layer.build((None, 2, 2, 24))
    assert layer.feedback is rule
    assert type(layer.pointwise_feedback) is type(rule)
    assert layer.pointwise_feedback is not rule
    depthwise, pointwise = (v.numpy().ravel() for v in layer.feedback_kernel)
    assert not np.any(depthwise == pointwise[:24])
    assert not np.isin(depthwise, pointwise).any()


def test_a_seed_reproduces_v():
    def kernels():
        rule = feedbacks.FixedRandom(seed=5)
        return make(rule).feedback_kernel

    for first, again in zip(kernels(), kernels(), strict=True):
        np.testing.assert_array_equal(first, again)


def test_both_kernels_are_redrawn():
    layer = make("brSF")
    before = [v.numpy() for v in layer.feedback_kernel]
    layer.redraw_feedback()
    for old, new in zip(before, layer.feedback_kernel, strict=True):
        assert not np.any(old == new)


def test_feedback_pairs_names_both_kernels():
    layer = make("uSF")
    names, kernels, vs = zip(*layer.feedback_pairs(), strict=True)
    assert names == ("depthwise_kernel", "pointwise_kernel")
    assert kernels == (layer.depthwise_kernel, layer.pointwise_kernel)
    for kernel, v in zip(kernels, vs, strict=True):
        np.testing.assert_array_equal(v, np.sign(kernel))


def test_nusf_divides_each_kernel_by_its_own_inputs():
    # A depthwise filter has width x height inputs, a pointwise filter input channels x
    # multiplier.
    layer = make("NuSF")
    depthwise, pointwise = layer.feedback_kernel
    np.testing.assert_allclose(
        depthwise, np.sign(layer.depthwise_kernel) / (3 * 2), rtol=1e-6
    )
    np.testing.assert_allclose(
        pointwise, np.sign(layer.pointwise_kernel) / (3 * 2), rtol=1e-6
    )
    layer = AsymSeparableConv2D(4, (3, 2), feedback="NuSF")
    layer.build((None, 4, 4, 5))
    depthwise, pointwise = (np.abs(v).max() for v in layer.feedback_kernel)
    assert (depthwise, pointwise) == pytest.approx((1 / 6, 1 / 5))


@pytest.mark.parametrize(
    "arguments",
    [
        {"strides": 2, "padding": "same"},
        {"dilation_rate": 2, "padding": "same"},
        {"use_bias": False, "activation": "tanh"},
        {"data_format": "channels_first"},
    ],
    ids=str,
)
def test_bp_is_separable_conv2d_to_the_last_bit(arguments, twin):
    shape = (2, 3, 4, 5) if "data_format" in arguments else (2, 4, 5, 3)
    layer = make("BP", shape, **arguments)
    x = tf.constant(normal(*shape))
    stock = twin(layer)

    def gradients(layer):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            loss = tf.reduce_sum(y**2)
        weights = [weight.value for weight in layer.trainable_weights]
        return y, *tape.gradient(loss, [x, *weights])

    try:
        expected = gradients(stock)
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as refusal:
        pytest.skip(f"SeparableConv2D itself is unsupported here: {str(refusal)[:200]}")
    for actual, e in zip(gradients(layer), expected, strict=True):
        np.testing.assert_array_equal(actual, e)


def test_both_rules_are_saved(tmp_path):
    model = keras.Sequential(
        [keras.Input((4, 5, 3)), AsymSeparableConv2D(4, 2, feedback="RndF")]
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for ours, theirs in zip(
        model.layers[0].feedback_kernel, loaded.layers[0].feedback_kernel, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("rule", ["brSF", "RndF", "KP", "PFA"])
def test_both_rules_are_in_legacy_files_and_state_trees(tmp_path, rule):
    layer = AsymSeparableConv2D(3, 2, feedback=rule)
    model = keras.Sequential([keras.Input((6, 6, 2)), layer])
    model.compile("sgd", "mae")
    model.save(tmp_path / "model.h5")
    loaded = keras.models.load_model(tmp_path / "model.h5", compile=False)
    before = layer.feedback_kernel
    tree = model.get_state_tree(value_format="numpy_array")
    for variable in model.variables:
        variable.assign(keras.ops.zeros_like(variable.value))
    model.set_state_tree(tree)
    for restored in (loaded.layers[0], layer):
        for a, e in zip(restored.feedback_kernel, before, strict=True):
            np.testing.assert_array_equal(a, e)
