import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import AsymDense, asymmetrize, feedbacks
from keras_asymbp.layers import LAYERS
from keras_asymbp.testing import CASES

each_layer = pytest.mark.parametrize("name", LAYERS)
INT8 = keras.quantizers.Int8QuantizationConfig()


def make(name, feedback="uSF", /, **more):
    """Returns a layer of the table, called once."""
    case = CASES[name]
    layer = LAYERS[name](**case.arguments | more, feedback=feedback)
    layer(*[tf.ones((2, *case.shape))] * case.inputs)
    return layer


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


def test_feedback_kernel_is_a_copy(make_layer):
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


@pytest.mark.parametrize("feedback", ["brSF", "frSF", "RndF"])
def test_layers_have_independent_streams(feedback):
    # With equal kernels only the random factors can differ.
    model = two_layers(feedback, kernel_initializer="ones")
    first, second = feedback_kernels(model)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.2


@each_layer
def test_a_rule_belongs_to_one_layer(name):
    rule = feedbacks.FixedRandomSignConcordant()
    make(name, rule, name="first")
    for other in (name, "AsymDense"):
        words = r"'second'.* Give each layer its own: a str"
        with pytest.raises(ValueError, match=words):
            make(other, rule, name="second")


def test_a_rule_is_assigned_as_an_instance():
    layer = AsymDense(2)
    layer.feedback = "frSF"
    with pytest.raises(ValueError, match=r"must be a `Feedback`.*Received: 'frSF'"):
        layer.build((None, 3))
    layer.feedback = feedbacks.get("frSF")
    layer.build((None, 3))


def test_a_rule_given_twice_is_refused():
    model = keras.Sequential([keras.Input((2,)), AsymDense(3, name="hidden")])
    with pytest.raises(ValueError, match=r"'hidden' already has a feedback rule"):
        asymmetrize(model, feedback="frSF")
    with pytest.raises(TypeError, match="multiple values for keyword"):
        AsymDense(3, feedback="uSF", **{"feedback": "frSF"})


def test_a_config_may_be_shared():
    config = feedbacks.serialize(feedbacks.FixedRandom())
    first, second = feedback_kernels(two_layers(config))
    assert np.any(first != second)


@each_layer
@pytest.mark.parametrize(
    ("argument", "value", "feature"),
    [
        ("lora_rank", 2, "LoRA"),
        ("quantization_config", INT8, "quantization"),
    ],
)
def test_lora_and_quantization_are_refused_as_arguments(name, argument, value, feature):
    message = f"{name} does not support {feature}: .* Leave out `{argument}`. Received"
    with pytest.raises(ValueError, match=message):
        LAYERS[name](**CASES[name].arguments, **{argument: value})


def test_lora_is_refused_by_position():
    between = [None] * 9  # all of the arguments from activation to bias_constraint
    assert AsymDense(3, *between).units == 3
    with pytest.raises(ValueError, match=r"does not support LoRA: .* Leave out"):
        AsymDense(3, *between, 2)


@each_layer
def test_lora_and_quantization_are_refused_as_methods(name):
    twin, layer = name.removeprefix("Asym"), make(name)
    with pytest.raises(
        ValueError, match=rf"{name} does not support LoRA.* Use keras.layers.{twin}"
    ):
        layer.enable_lora(2)
    for mode in ("int8", "float8"):
        with pytest.raises(
            ValueError, match=rf"{name} does not support quant.* Train first, then"
        ):
            layer.quantize(mode)


def test_quantization_of_a_whole_model_is_refused(make_layer):
    # Keras calls only a model's innermost layers, hence the rule.
    model = keras.Sequential([keras.Input((2,)), make_layer("uSF")])
    with pytest.raises(ValueError, match="does not support quantization"):
        model.quantize("int8")


@each_layer
def test_a_second_build_is_refused_by_keras(name):
    case = CASES[name]
    with pytest.raises(ValueError, match="already built"):
        make(name).build(*[(None, *case.shape)] * case.inputs)


@each_layer
def test_a_quantized_dtype_is_refused(name):
    with pytest.raises(ValueError, match=r"quantization.*dtype='int8_from_float32'"):
        LAYERS[name](**CASES[name].arguments, dtype="int8_from_float32")


@each_layer
@pytest.mark.parametrize("dtype", ["int32", "uint8"])
def test_an_integer_dtype_is_refused(name, dtype):
    with pytest.raises(
        ValueError,
        match=rf"must have a floating point dtype: .* Received: dtype={dtype}",
    ):
        make(name, dtype=dtype)


class Broken(feedbacks.Feedback):
    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def call(self, kernel):
        return self.function(kernel)

    def get_config(self):
        return super().get_config() | {"function": self.function}


@each_layer
@pytest.mark.parametrize(
    ("function", "received"),
    [
        (lambda w: tf.convert_to_tensor(w)[None], r"\(1, "),
        (lambda w: tf.convert_to_tensor(w)[..., :1], r"1\)"),
        (lambda w: 1.0, r"\(\)"),
    ],
    ids=["rank", "shape", "scalar"],
)
def test_a_v_of_a_wrong_shape_is_refused(name, function, received):
    layer = make(name, Broken(function), name="mine")
    xs = [tf.ones((2, *CASES[name].shape))] * CASES[name].inputs
    with tf.GradientTape() as tape:
        tape.watch(xs)
        y = layer(*xs)
    with pytest.raises(
        ValueError,
        match=rf"Rule Broken of layer .* Expected: .* Received: .*{received}",
    ):
        tape.gradient(y, xs)


def test_a_rule_without_a_return_is_named(make_layer, backward_kernel):
    layer = make_layer(Broken(lambda w: None), name="mine")
    message = "Rule Broken of layer 'mine' must return .* Received: None"
    with pytest.raises(ValueError, match=message):
        backward_kernel(layer)
    with pytest.raises(ValueError, match=message):
        _ = layer.feedback_kernel


@each_layer
def test_there_is_no_v_before_build(name):
    layer = LAYERS[name](**CASES[name].arguments, name="mine")
    with pytest.raises(AttributeError, match=r"'mine' .*`feedback_kernel` yet"):
        _ = layer.feedback_kernel
    assert layer.feedback_pairs() == []


@each_layer
def test_a_layer_draws_and_shows_all_its_kernels(name):
    layer = make(name, "brSF")
    before = layer.feedback_pairs()
    layer.redraw_feedback()
    after = layer.feedback_pairs()
    assert len({id(kernel) for _, kernel, _ in after}) == len(after) >= 1
    for (_, _, v), (_, kernel, drawn) in zip(before, after, strict=True):
        assert not np.any(v == drawn)
        np.testing.assert_array_equal(np.sign(drawn), np.sign(kernel))


def test_a_stateless_call_of_a_layer_leaves_later_calls_alone(make_layer):
    layer, x = make_layer("brSF"), np.ones((3, 2), "float32")
    layer.stateless_call(
        [variable.value for variable in layer.trainable_variables],
        [variable.value for variable in layer.non_trainable_variables],
        x,
    )
    dropout = keras.layers.Dropout(0.9)
    dropout(x, training=True)
    np.testing.assert_array_equal(dropout(x), x)
