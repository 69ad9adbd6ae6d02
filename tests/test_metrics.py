"""Angles and ratios by hand, gradients by NumPy; the model is unchanged."""

import keras
import numpy as np
import pytest

from keras_asymbp import (
    AsymDense,
    AsymMultiHeadAttention,
    AsymSeparableConv2D,
    RedrawFeedback,
    feedbacks,
    metrics,
)
from keras_asymbp._kernels import layers_with_kernels
from keras_asymbp.metrics import angle, norm_ratio, sign_concordance


@pytest.mark.parametrize(
    ("a", "b", "degrees"),
    [
        ([1, 0], [0, 2], 90),
        ([1, 1], [3, 3], 0),
        ([1, 1], [-2, -2], 180),
        ([1, 0], [1, 1], 45),
        ([1, 0], [-1, 1], 135),
        ([1, 0, 0], [1, np.sqrt(3), 0], 60),
        ([[1, 2], [2, 0]], [[2, 1], [-2, 4]], 90),
        ([1e-30, 1e-30], [1e30, 0], 45),
    ],
)
def test_angle(a, b, degrees):
    assert angle(a, b) == pytest.approx(degrees, abs=1e-12)
    assert angle(b, a) == pytest.approx(degrees, abs=1e-12)


@pytest.mark.parametrize("radians", [1e-4, 1e-8, 1e-12, 1e-15])
def test_small_angles_keep_their_digits(radians):
    degrees = np.rad2deg(np.arctan(radians))
    assert angle([1, 0], [1, radians]) == pytest.approx(degrees, rel=1e-7)
    expected = pytest.approx(180 - degrees, rel=1e-15)
    assert angle([1, 0], [-1, radians]) == expected


def test_norm_ratio():
    assert norm_ratio([3, 4], [0, 10]) == 2
    assert norm_ratio([[1, 1], [1, 1]], [[0, 0], [0, 0]]) == 0
    assert norm_ratio([0, 0], [1, 0]) == np.inf


def test_sign_concordance():
    assert sign_concordance([1, -2, 3, 0], [0.1, -7, 3, 0]) == 1
    assert sign_concordance([1, -2, 3, 4], [-1, 2, -3, -4]) == 0
    assert sign_concordance([1, -2, 3, 0], [1, 2, 0, 0]) == 0.5
    assert sign_concordance([0, 0], [1, -1]) == 0


def test_zeros_have_no_angle():
    assert np.isnan(angle([0, 0], [1, 0]))
    assert np.isnan(angle([1, 0], [0, 0]))
    assert np.isnan(angle([], []))
    assert np.isnan(norm_ratio([0, 0], [0, 0]))


@pytest.mark.parametrize("function", [angle, norm_ratio, sign_concordance])
def test_sizes_must_be_equal(function):
    with pytest.raises(ValueError, match=r"one size.* \(1,\) and \(3,\)"):
        function([1], [1, 2, 3])
    assert isinstance(function(keras.ops.ones((2, 3)), np.ones((2, 3))), float)


def aligned(feedback, inputs=300, units=300):
    layer = AsymDense(units, feedback=feedback, kernel_initializer="random_normal")
    model = keras.Sequential([keras.Input((inputs,)), layer])
    return metrics.alignment(model)[layer.name]


def test_alignment_of_known_vectors(make_layer):
    layer = make_layer("uSF", [[3.0], [-4.0], [0.0]])
    assert metrics.alignment(layer) == {
        layer.name: {
            # <(3, -4), (1, -1)> = 7, |W| = 5, |V| = sqrt 2
            "angle": pytest.approx(np.rad2deg(np.arccos(7 / 5 / 2**0.5)), rel=1e-12),
            "norm_ratio": pytest.approx(2**0.5 / 5, rel=1e-7),
            "sign_concordance": 1.0,
        }
    }


def test_alignment_of_bp():
    assert aligned("BP") == {"angle": 0, "norm_ratio": 1, "sign_concordance": 1}


def test_alignment_of_usf():
    # For w normal: cos = E|w| / sqrt(E w^2) = sqrt(2 / pi), and |W| = 0.05 |sign(W)|.
    values = aligned("uSF")
    assert values["sign_concordance"] == 1
    cosine = np.sqrt(2 / np.pi)
    assert values["angle"] == pytest.approx(np.rad2deg(np.arccos(cosine)), abs=0.3)
    assert values["norm_ratio"] == pytest.approx(1 / 0.05, rel=0.01)


@pytest.mark.parametrize("feedback", ["brSF", "frSF", "brSF-25", "brSF-50", "frSF-100"])
def test_alignment_of_random_magnitudes(feedback):
    wrong = feedbacks.get(feedback).flip_probability
    # E[m] E|w| (1 - 2 p) / sqrt(E m^2 E w^2), for m uniform in [0, 1) and w normal.
    cosine = (1 - 2 * wrong) * 0.5 * np.sqrt(2 / np.pi) / np.sqrt(1 / 3)
    values = aligned(feedback)
    assert values["sign_concordance"] == pytest.approx(1 - wrong, abs=0.01)
    assert values["angle"] == pytest.approx(np.rad2deg(np.arccos(cosine)), abs=1)
    assert values["norm_ratio"] == pytest.approx(np.sqrt(1 / 3) / 0.05, rel=0.02)


def test_initial_alignment_of_fixed_random_feedback():
    values = aligned("RndF")
    assert values["sign_concordance"] == pytest.approx(0.5, abs=0.01)
    assert values["angle"] == pytest.approx(90, abs=1)
    assert values["norm_ratio"] == pytest.approx(1, rel=0.02)


def two_layers(feedback, optimizer="sgd", **arguments):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            AsymDense(5, activation="tanh", feedback=feedback, name="first"),
            AsymDense(3, feedback=feedback, name="second"),
        ]
    )
    model.compile(optimizer, "mse", **arguments)
    return model


def batches(number=1, inputs=4, outputs=3, samples=6):
    generator = np.random.default_rng(0)
    return [
        (
            generator.normal(size=(samples, inputs)).astype("float32"),
            generator.normal(size=(samples, outputs)).astype("float32"),
        )
        for _ in range(number)
    ]


def gradients_by_numpy(model, x, y, v):
    """Returns dE/dW1 and dE/dW2 of the mean squared error, sent back through v."""
    w1, b1, w2, b2 = (np.asarray(w, "float64") for w in model.trainable_weights)
    hidden = np.tanh(x @ w1 + b1)
    error = 2 * (hidden @ w2 + b2 - y) / y.size
    return x.T @ ((error @ v.T) * (1 - hidden**2)), hidden.T @ error


@pytest.mark.parametrize("feedback", ["uSF", "frSF", "brSF-50", "RndF"])
def test_gradient_angles_match_numpy(feedback):
    model = two_layers(feedback)
    data = batches(2)
    w2 = np.asarray(model.get_layer("second").kernel, "float64")
    v2 = np.asarray(model.get_layer("second").feedback_kernel, "float64")
    ours, theirs = (
        sum(gradients_by_numpy(model, x, y, v)[0] for x, y in data) for v in (v2, w2)
    )
    cosine = np.vdot(ours, theirs) / np.linalg.norm(ours) / np.linalg.norm(theirs)
    actual = metrics.gradient_angles(model, data)
    assert actual == {
        "first": pytest.approx(np.rad2deg(np.arccos(cosine)), abs=1e-3),
        "second": 0.0,
    }
    assert actual["first"] > 5


def test_gradients_are_those_of_the_whole_loss():
    """Of regularizers and `add_loss`, too."""

    @keras.saving.register_keras_serializable("test_metrics")
    class Mean(keras.layers.Layer):
        def call(self, inputs):
            self.add_loss(keras.ops.mean(inputs))
            return inputs

    options = {"activity_regularizer": "l2", "bias_regularizer": "l2"}
    first = AsymDense(5, activation="tanh", feedback="RndF", name="first", **options)
    second = AsymDense(
        3, feedback="RndF", name="second", kernel_regularizer=keras.regularizers.L2(0.3)
    )
    model = keras.Sequential([keras.Input((4,)), first, Mean(), second])
    model.compile("sgd", "mse")
    ((x, y),) = batches()
    w1, b1, w2, b2, v2 = (
        np.asarray(keras.ops.convert_to_numpy(each), "float64")
        for each in (*model.trainable_weights, second.feedback_kernel)
    )
    hidden = np.tanh(x @ w1 + b1)
    error = 2 * (hidden @ w2 + b2 - y) / y.size
    added = 2 * 0.01 * hidden / len(x) + 1 / hidden.size
    ours, theirs = (x.T @ ((error @ v.T + added) * (1 - hidden**2)) for v in (v2, w2))
    cosine = np.vdot(ours, theirs) / np.linalg.norm(ours) / np.linalg.norm(theirs)
    assert metrics.gradient_angles(model, [(x, y)]) == {
        "first": pytest.approx(np.rad2deg(np.arccos(cosine)), abs=1e-3),
        "second": 0.0,
    }


def test_gradient_angles_of_bp_are_zero():
    model = two_layers("BP")
    assert metrics.gradient_angles(model, batches()) == {"first": 0.0, "second": 0.0}


def test_sample_weights_are_used():
    model = two_layers("RndF")
    (x, y), (x2, y2) = batches(2)
    both = np.concatenate([x, x2]), np.concatenate([y, y2])
    weighted = (*both, np.repeat([1.0, 0.0], 6))
    expected = metrics.gradient_angles(model, [(x, y)])
    actual = metrics.gradient_angles(model, [weighted])
    assert actual["first"] == pytest.approx(expected["first"], rel=1e-4)
    other = metrics.gradient_angles(model, [both])
    assert abs(other["first"] - expected["first"]) > 0.1


def test_no_batches_are_refused():
    with pytest.raises(ValueError, match="must have a batch"):
        metrics.gradient_angles(two_layers("uSF"), [])


def test_frozen_kernels_have_no_gradient_but_alignment():
    model = two_layers("uSF")
    model.get_layer("second").trainable = False
    assert list(metrics.gradient_angles(model, batches())) == ["first"]
    assert list(metrics.alignment(model)) == ["first", "second"]


def test_a_kernel_without_influence_has_no_angle():
    inputs = keras.Input((4,))
    used = AsymDense(3, name="used")(inputs)
    unused = AsymDense(3, name="unused")(inputs)
    model = keras.Model(inputs, [used, unused])
    model.compile("sgd", ["mse", None])
    ((x, y),) = batches()
    angles = metrics.gradient_angles(model, [(x, [y, y])])
    assert angles["used"] == 0
    assert np.isnan(angles["unused"])


def full_of_state():
    inputs = keras.Input((6, 6, 2))
    x = AsymSeparableConv2D(3, 2, feedback="brSF", name="separable")(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(0.5)(x)
    x = keras.layers.Reshape((25, 3))(x)
    attention = AsymMultiHeadAttention(2, 3, feedback="brSF", name="attention")
    x = x + attention(x, x)
    again = AsymMultiHeadAttention(1, 2, feedback="frSF", name="again")
    x = keras.layers.Flatten()(x + again(x, x))
    first = AsymDense(2, feedback="brSF", name="first")(x)
    model = keras.Model(inputs, [first, AsymDense(1, name="second")(x)])
    # Two losses: Keras keeps their means as metrics.
    model.compile("adam", ["mse", "mae"], metrics=["mae", "mae"], jit_compile=False)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(8, 6, 6, 2)).astype("float32")
    return model, (x, [np.ones((8, 2)), np.ones((8, 1))])


PROJECTIONS = ["query", "key", "value", "attention_output"]
KERNELS = [
    "separable/depthwise_kernel",
    "separable/pointwise_kernel",
    *(f"attention/{name}" for name in PROJECTIONS),
    *(f"again/{name}" for name in PROJECTIONS),
    "first",
    "second",
]


@pytest.mark.parametrize("kind", [AsymDense, AsymSeparableConv2D])
def test_a_layer_that_is_not_called_is_left_out(kind):
    class Later(keras.Model):
        def __init__(self):
            super().__init__()
            self.used = AsymDense(3, name="used")
            self.later = kind(3, 1) if kind is AsymSeparableConv2D else kind(3)

        def call(self, inputs):
            return self.used(inputs)

    model = Later()
    model.compile("sgd", "mse")
    ((x, y),) = batches()
    assert metrics.alignment(model) == {}
    model(x)
    assert list(metrics.alignment(model)) == ["used"]
    assert metrics.gradient_angles(model, [(x, y)]) == {"used": 0.0}


def test_kernel_names_are_unique():
    model, batch = full_of_state()
    assert list(metrics.alignment(model)) == KERNELS
    angles = metrics.gradient_angles(model, [batch])
    assert list(angles) == KERNELS
    assert angles["first"] == angles["second"] == 0
    assert all(1 < angles[name] < 179 for name in KERNELS[:2])


def test_layers_with_two_kernels_and_one_name_are_told_apart():
    class Twice(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = (
                AsymSeparableConv2D(2, 1, name="c") for _ in range(2)
            )

        def call(self, x):
            return self.second(self.first(x))

    model = Twice()
    model(np.ones((1, 2, 2, 2), "float32"))
    parts = [part.name for part in layers_with_kernels(model)]
    assert parts == ["c", "c_1"]
    assert list(metrics.alignment(model)) == [
        f"{name}/{attribute}_kernel"
        for name in parts
        for attribute in ("depthwise", "pointwise")
    ]


def test_layers_with_equal_names_in_nested_models():
    def inner(name):
        return keras.Sequential(
            [keras.Input((4,)), AsymDense(4, name="dense")], name=name
        )

    one = inner("one")
    model = keras.Sequential(
        [keras.Input((4,)), one, inner("two"), one, AsymDense(4, name="dense")]
    )
    assert list(metrics.alignment(model)) == ["one/dense", "two/dense", "dense"]


def test_the_model_is_unchanged():
    model, batch = full_of_state()
    model.fit(*batch, verbose=0, callbacks=[RedrawFeedback()])

    def everything():
        return [
            variable.numpy()
            for variable in (
                *model.variables,
                *model.metrics_variables,
                *model.optimizer.variables,
            )
        ]

    before = everything()
    angles = metrics.gradient_angles(model, [batch])
    metrics.alignment(model)
    for value, expected in zip(everything(), before, strict=True):
        np.testing.assert_array_equal(value, expected)
    # Both gradients have the same dropout, each time.
    assert metrics.gradient_angles(model, [batch]) == angles
    assert angles["first"] == 0


def test_the_model_is_unchanged_after_an_error():
    model, (x, _) = full_of_state()
    before = [variable.numpy() for variable in model.variables]
    with pytest.raises(ValueError):  # noqa: PT011
        metrics.gradient_angles(model, [(x, np.ones((8, 3, 3)))])
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_small_gradients_of_half_precision_are_scaled_as_in_fit():
    # Without the scale of 2^24 the float16 gradient would be 0, without an angle.
    keras.config.set_dtype_policy("mixed_float16")
    try:
        inner = keras.optimizers.SGD()
        optimizer = keras.optimizers.LossScaleOptimizer(inner, initial_scale=2.0**24)
        model = two_layers("BP", optimizer)
    finally:
        keras.config.set_dtype_policy("float32")
    ((x, y),) = batches()
    weighted = (x, y, np.full(6, 1e-7))
    assert metrics.gradient_angles(model, [weighted]) == {"first": 0, "second": 0}


def test_gradient_angles_restore_the_states_of_recurrent_layers():
    inputs = keras.Input((3, 2), batch_size=4)
    recurrent = keras.layers.Bidirectional(keras.layers.GRU(5, stateful=True))
    model = keras.Model(inputs, AsymDense(4)(recurrent(inputs)))
    model.compile("sgd", "mse")
    x = np.ones((4, 3, 2), "float32")
    model(x)
    layers = recurrent.forward_layer, recurrent.backward_layer
    before = [state.numpy() for layer in layers for state in layer.states]
    metrics.gradient_angles(model, [(x, np.ones((4, 4)))])
    after = [state for layer in layers for state in layer.states]
    for state, value in zip(after, before, strict=True):
        np.testing.assert_array_equal(state, value)


@pytest.mark.parametrize("traced_before", [True, False])
def test_gradient_angles_of_a_decorated_call(traced_before, decorated):
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    angles = []
    for wrap in (lambda block: block, decorated):
        keras.utils.set_random_seed(1)
        hidden = AsymDense(6, feedback="RndF", name="hidden")
        top = AsymDense(2, feedback="RndF", name="top")
        # Built: Keras gives no gradient to variables that a `tf.function` creates.
        block = keras.Sequential([keras.Input((3,)), hidden, top])
        model = keras.Sequential([keras.Input((3,)), wrap(block)])
        model.compile("sgd", "mse")
        if traced_before:
            model.train_on_batch(x, np.ones((8, 2)))
        measured = metrics.gradient_angles(model, [(x, np.ones((8, 2)))])
        angles.append(list(measured.values()))
        # The traces of training have kept no switch.
        model.train_on_batch(x, np.ones((8, 2)))
        angles.append(list(measured.values()))
    assert angles[0][0] > 20
    for each in angles[1:]:
        np.testing.assert_allclose(each, angles[0], atol=1e-3)
