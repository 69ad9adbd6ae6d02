import keras
import numpy as np
import pytest
from keras import ops

from keras_asymbp import feedbacks, models


def weights(model):
    return [ops.convert_to_numpy(v) for v in model.weights]


def kernels(model):
    """W and V of each layer that has a rule."""
    return [
        (
            ops.convert_to_numpy(layer.kernel),
            ops.convert_to_numpy(layer.feedback_kernel),
        )
        for layer in model.layers
        if hasattr(layer, "feedback")
    ]


def square(feedback="RndF", **options):
    """A model whose three kernels have one shape."""
    return models.mlp(
        feedback, hidden_units=(4, 4), input_shape=(4,), classes=4, **options
    )


def all_differ(arrays):
    first, second, third = arrays
    return not any(np.any(a == b) for a, b in ((first, second), (second, third)))


@pytest.mark.parametrize("feedback", ["RndF", "frSF-25", "KP"])
def test_a_seed_makes_the_same_model(feedback):
    first, again = (square(feedback, seed=3) for _ in range(2))
    for a, b in zip(kernels(first), kernels(again), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(weights(square(seed=4))[0], weights(first)[0])


def test_no_initializer_is_keras_s_default_with_the_seed():
    first, again, named = (
        weights(square(seed=3, kernel_initializer=initializer))
        for initializer in (None, None, "glorot_uniform")
    )
    for a, b, c in zip(first, again, named, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


@pytest.mark.parametrize("units", [5, "512", (5, 0), (2.5,), None])
def test_hidden_units_that_are_no_sequence_of_counts_are_refused(units):
    with pytest.raises(ValueError, match=r"`hidden_units` must be.*hidden_units="):
        models.mlp(hidden_units=units)


@pytest.mark.parametrize("seed", [-1, 2**31, 1.5])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValueError, match="`seed` must be None or an integer"):
        square(seed=seed)


def test_without_a_seed_keras_s_counts():
    made = []
    for _ in range(2):
        keras.utils.set_random_seed(5)
        made.append(kernels(square()))
    for a, b in zip(*made, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(kernels(square())[0], made[0][0])


HE_NORMAL = keras.initializers.HeNormal


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"seed": 0},
        {"seed": 0, "kernel_initializer": None},
        {"feedback": feedbacks.FixedRandom(seed=1)},
        {"kernel_initializer": HE_NORMAL(seed=1)},
        {
            "kernel_initializer": keras.initializers.HeNormal(
                keras.random.SeedGenerator(1)
            )
        },
    ],
    ids=lambda options: ",".join(options),
)
def test_no_two_layers_share_a_stream(options):
    made = kernels(square(**options))
    assert all_differ([w for w, _ in made])
    assert all_differ([v for _, v in made])


def test_dropout_has_the_seed():
    def alexnet(seed):
        return models.alexnet(
            "BP",
            input_shape=(63, 63, 1),
            classes=2,
            seed=seed,
            kernel_initializer=keras.initializers.Constant(1e-3),
            classifier_activation=None,
        )

    x = np.ones((1, 63, 63, 1), "float32")
    first, again, other = (
        ops.convert_to_numpy(alexnet(seed)(x, training=True)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "feedback",
    ["NuSF", None, feedbacks.get("NuSF"), feedbacks.serialize(feedbacks.get("NuSF"))],
    ids=["name", "None", "instance", "config"],
)
def test_feedback_is_what_it_is_elsewhere(feedback):
    rules = [x.feedback for x in square(feedback).layers if hasattr(x, "feedback")]
    assert {rule.alias for rule in rules} == {"BP" if feedback is None else "NuSF"}
    assert len({id(rule) for rule in rules}) == 3


@pytest.mark.parametrize(
    ("function", "shape", "output"),
    [
        (models.resnet20, (None, None, 3), (None, None, None, 64)),
        (models.lenet, (32, 32, 1), (None, 1, 1, 120)),
        (models.alexnet, (63, 63, 3), (None, 1, 1, 256)),
    ],
)
def test_without_the_top_feature_maps_are_the_output(function, shape, output):
    model = function(include_top=False, input_shape=shape)
    assert model.output_shape == output
    assert "predictions" not in [layer.name for layer in model.layers]


def test_the_activation_of_the_classifier():
    x = np.ones((2, 4), "float32")
    probabilities = ops.convert_to_numpy(square(seed=0)(x))
    logits = ops.convert_to_numpy(square(seed=0, classifier_activation=None)(x))
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(
        ops.convert_to_numpy(ops.softmax(logits)), probabilities, rtol=1e-5
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_shape": "32"}, "Received: input_shape='32'"),
        ({"input_shape": 28}, r"`input_shape` must be a shape like \(32, 32, 1\)"),
        ({"input_shape": (28, 28)}, r"Received: input_shape=\(28, 28\)"),
        ({"input_shape": (28, -1, 1)}, "without the batch"),
        ({"input_shape": (28, 28, None)}, "channels last"),
        ({"classes": 0}, "`classes` must be an integer of 1 or more"),
        ({"classes": 2.5}, "Received: classes=2.5"),
        ({"weights": "imagenet"}, "no trained weights to download"),
        ({"weights": 5}, "Received: weights=5"),
        ({"normalization": "bn"}, "None, 'BN' or 'BN learnable'. Received"),
        ({"feedback": "usf"}, "Unknown feedback rule"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        models.lenet(**options)


@pytest.mark.parametrize("shape", [(8, 8, 1), (None, None, 1)])
def test_a_size_that_the_layers_do_not_fit_is_refused(shape):
    with pytest.raises(
        ValueError, match=r"'lenet' doesn't fit .*made for \(32, 32, 1\)"
    ):
        models.lenet(input_shape=shape)


def test_digits_are_padded_to_the_published_size():
    model = models.lenet(input_shape=(28, 28, 1), seed=0)
    x = np.random.default_rng(0).random((2, 28, 28, 1)).astype("float32")
    padded = np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)])
    np.testing.assert_allclose(model(x), models.lenet(seed=0)(padded), rtol=1e-5)


def test_a_perceptron_flattens_any_shape():
    assert models.mlp(input_shape=(3, 4, 5)).count_params() == (
        60 * 512 + 512 + 512 * 256 + 256 + 256 * 10 + 10
    )
    with pytest.raises(ValueError, match=r"of positive integers.*input_shape=\(0,\)"):
        models.mlp(input_shape=(0,))
