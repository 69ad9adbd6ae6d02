import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import AsymDense, feedbacks


def two_layers(feedback, **arguments):
    model = keras.Sequential(
        [
            keras.Input((20,)),
            AsymDense(20, feedback=feedback, **arguments),
            AsymDense(20, feedback=feedback, **arguments),
        ]
    )
    return model


def feedback_kernels(model):
    return [np.array(layer.feedback_kernel) for layer in model.layers]


def test_the_default_rule_is_usf():
    layer = AsymDense(3)
    assert type(layer.feedback) is feedbacks.UniformSignConcordant


@pytest.mark.parametrize("feedback", ["sSF", "brSF-200", 3])
def test_an_unknown_rule_is_refused_with_the_names(feedback):
    with pytest.raises(ValueError, match="Unknown feedback rule") as error:
        AsymDense(3, feedback=feedback)
    for alias in feedbacks.ALIASES:
        assert repr(alias) in str(error.value)


def test_feedback_kernel_is_a_tensor_of_its_own(make_layer):
    layer = make_layer("BP")
    before = layer.feedback_kernel
    assert isinstance(before, tf.Tensor)
    layer.kernel.assign_add(np.ones((2, 3)))
    np.testing.assert_array_equal(layer.feedback_kernel, before + 1)


@pytest.mark.parametrize("feedback", ["BP", "brSF", "frSF-25", "RndF"])
def test_the_global_seed_makes_a_model_reproducible(feedback):
    made = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        model = two_layers(feedback)
        made.append((feedback_kernels(model), model.get_weights()))
    for first, again, other in zip(*(v + w for v, w in made), strict=True):
        np.testing.assert_array_equal(first, again)
        if np.any(other != 0) and other.dtype.kind == "f":  # biases start at zero
            assert np.any(first != other)


def test_models_that_differ_in_rules_alone_start_with_the_same_weights():
    starts = []
    for feedback in ("BP", "brSF", "RndF"):
        keras.utils.set_random_seed(1)
        starts.append([w.numpy() for w in two_layers(feedback).trainable_weights])
    for weights in zip(*starts, strict=True):
        np.testing.assert_array_equal(weights[0], weights[1])
        np.testing.assert_array_equal(weights[0], weights[2])


@pytest.mark.parametrize("feedback", ["brSF", "frSF", "RndF"])
def test_layers_have_streams_of_their_own(feedback):
    # With equal kernels, all that can differ is the random factor.
    model = two_layers(feedback, kernel_initializer="ones")
    first, second = feedback_kernels(model)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.2


def test_a_rule_belongs_to_one_layer():
    rule = feedbacks.FixedRandomSignConcordant()
    AsymDense(3, feedback=rule).build((None, 2))
    with pytest.raises(ValueError, match=r"'second'.* Give each layer its own"):
        AsymDense(3, feedback=rule, name="second").build((None, 2))


def test_a_config_may_be_shared():
    config = feedbacks.serialize(feedbacks.FixedRandom())
    first, second = feedback_kernels(two_layers(config))
    assert np.any(first != second)


@pytest.mark.parametrize(
    ("argument", "what"),
    [
        ({"lora_rank": 2}, "LoRA"),
        (
            {"quantization_config": keras.quantizers.Int8QuantizationConfig()},
            "quantization",
        ),
    ],
)
def test_lora_and_quantization_are_refused_as_arguments(argument, what):
    with pytest.raises(ValueError, match=f"AsymDense does not support {what}"):
        AsymDense(3, **argument)


def test_lora_and_quantization_are_refused_as_methods(make_layer):
    layer = make_layer("uSF")
    with pytest.raises(ValueError, match=r"does not support LoRA.*keras.layers.Dense"):
        layer.enable_lora(2)
    for mode in ("int8", "float8"):
        with pytest.raises(ValueError, match="does not support quantization"):
            layer.quantize(mode)


def test_quantization_of_a_whole_model_is_refused(make_layer):
    # Keras asks a model's innermost layers only, hence the rule.
    model = keras.Sequential([keras.Input((2,)), make_layer("uSF")])
    with pytest.raises(ValueError, match="does not support quantization"):
        model.quantize("int8")


def test_a_quantized_dtype_is_refused():
    with pytest.raises(ValueError, match=r"quantization.*dtype='int8_from_float32'"):
        AsymDense(3, dtype="int8_from_float32")
