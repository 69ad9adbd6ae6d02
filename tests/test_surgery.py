import inspect
import pathlib
import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import AsymDense, asymmetrize, feedbacks, surgery, symmetrize
from keras_asymbp.copying import copy
from keras_asymbp.direct_feedback import direct_feedback


def model():
    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="dense")], name="inner"
    )
    inputs = keras.Input((4,), name="inputs")
    outputs = AsymDense(2, feedback="frSF", name="asymmetric")(inner(inputs))
    return keras.Model(inputs, outputs, name="outer")


def names(layers):
    return [layer.name for layer in layers]


def test_parts_and_state_leave_rules_out():
    layer = model().get_layer("asymmetric")
    assert layer.feedback.variables
    assert names(surgery.parts(layer)) == ["asymmetric"]
    assert surgery.state(layer) == [layer.kernel, layer.bias]


def test_asymmetric_parts_are_those_of_nested_models_too():
    whole = keras.Sequential([model()])
    assert names(surgery.asymmetric_parts(whole)) == ["asymmetric"]
    assert surgery.asymmetric_parts(keras.layers.Dense(2)) == []


class Named(keras.layers.Dense):
    """A subclass that changes nothing."""


@pytest.mark.parametrize("layer", [keras.layers.Dense(2), Named(2)])
def test_a_layer_s_twin_is_that_of_its_base(layer):
    twin = surgery.twin_of(layer)
    assert twin is keras.layers.Dense
    assert surgery.ASYMMETRIC[twin] is AsymDense


def test_no_twin():
    assert surgery.twin_of(keras.layers.Dropout(0.5)) is None


def test_a_clone_has_names_weights_and_trainable():
    old = model()
    old.get_layer("inner").trainable = False
    new = surgery.clone(old, copy, "clone")
    assert new is not old
    assert names(new._flatten_layers()) == names(old._flatten_layers())
    assert not new.get_layer("inner").trainable
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(new(x), old(x))


class Sum(keras.layers.Layer):
    """The sum of those of its inputs that are given."""

    def call(self, x, y=None):
        return x if y is None else x + y

    def compute_output_spec(self, x, y=None):
        return keras.KerasTensor(x.shape, x.dtype)


@pytest.mark.parametrize("convert", [asymmetrize, symmetrize, direct_feedback])
def test_inputs_stay_sparse_and_optional(convert):
    sparse = keras.Input((4,), sparse=True, name="sparse")
    optional = keras.Input((3,), optional=True, name="optional")
    x = keras.layers.Dense(3)(sparse)
    if convert is not direct_feedback:  # it takes no model inside another
        inner = keras.Sequential([keras.Input((4,), sparse=True), AsymDense(3)])
        inner = inner if convert is symmetrize else symmetrize(inner)
        x = keras.layers.add([x, inner(sparse)])
    y = keras.layers.Dense(2)(Sum()(x, optional))
    old = keras.Model([sparse, optional], y)
    new = convert(old)
    assert [each.sparse for each in new.inputs] == [True, False]
    x = tf.sparse.eye(2, 4)
    np.testing.assert_array_equal(new([x, None]), old([x, None]))
    for layer in new.layers:
        if isinstance(layer, keras.Model):
            assert layer.inputs[0].sparse


@pytest.mark.parametrize("convert", [asymmetrize, symmetrize])
def test_an_output_that_is_an_input_keeps_its_name(convert):
    inputs = keras.Input((4,))
    old = keras.Model(inputs, [keras.layers.Dense(2, name="top")(inputs), inputs])
    assert convert(old).output_names == old.output_names


def test_the_input_of_a_sequential_model_stays_sparse():
    old = keras.Sequential(
        [keras.Input((4,), sparse=True), *map(keras.layers.Dense, (3, 2))]
    )
    for convert in (asymmetrize, direct_feedback):
        assert convert(old).inputs[0].sparse


def test_a_model_is_compiled_again_after_an_error():
    old = model()
    old.compile("sgd", "mse")

    def copy(layer):
        assert not old.compiled
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        surgery.clone(old, copy, "clone")
    assert old.compiled


def test_the_message_names_the_user_s_function():
    with pytest.raises(ValueError, match="`my_function` takes a built model"):
        surgery.check(keras.Sequential([keras.layers.Dense(2)]), "my_function")


# ------------------------------------------------------- every layer of Keras

IMAGES, SEQUENCES, WORDS = (4, 4, 3), (4, 3), ["a", "b", "a\nb", "c d", " "]

# Values of the required arguments.
ARGUMENTS = {
    "activation": "relu",
    "dims": (2, 1, 3),
    "factor": 0.2,
    "filters": 2,
    "head_dim": 2,
    "height": 3,
    "height_factor": 0.2,
    "input_dim": 5,
    "kernel_size": 2,
    "key_dim": 2,
    "layer": lambda: keras.layers.Dense(2),
    "n": 2,
    "num_bins": 4,
    "num_heads": 2,
    "num_key_value_heads": 1,
    "num_query_heads": 2,
    "output_dim": 2,
    "output_size": 2,
    "pool_size": 2,
    "rate": 0.5,
    "scale": 2.0,
    "stddev": 0.1,
    "target_shape": (-1,),
    "units": 3,
    "value_range": (0, 1),
    "width": 3,
    "width_factor": 0.2,
}

# The layers that need more: other arguments, and the shapes of inputs. Those of a call
# with a list are in a list, and a shape of dimension 0 is the batch.
MORE = {
    **dict.fromkeys(
        [
            *("Add", "AdditiveAttention", "Attention", "Average", "Concatenate"),
            *("Maximum", "Minimum", "Multiply", "Subtract"),
        ],
        ({}, [SEQUENCES, SEQUENCES]),
    ),
    "Bidirectional": (
        {"layer": lambda: keras.layers.LSTM(2, dropout=0.5, stateful=True)},
        SEQUENCES,
    ),
    "CategoryEncoding": ({"num_tokens": 4}, (3,)),
    "Conv1DTranspose": ({}, SEQUENCES),
    "Conv3DTranspose": ({}, (2, 2, 2, 3)),
    "Cropping3D": ({}, (3, 3, 3, 1)),
    "ConvLSTM1D": ({"dropout": 0.5, "stateful": True}, (2, 4, 3)),
    "ConvLSTM2D": ({"stateful": True}, (2, 4, 4, 3)),
    "ConvLSTM3D": ({"stateful": True}, (2, 2, 2, 2, 3)),
    "Discretization": ({"num_bins": 3, "output_mode": "one_hot"}, (1,)),
    "Dot": ({"axes": 1}, [SEQUENCES, SEQUENCES]),
    "EinsumDense": ({"equation": "abc,cd->abd", "output_shape": (4, 2)}, SEQUENCES),
    "GRU": ({"recurrent_dropout": 0.5, "stateful": True}, SEQUENCES),
    "GroupNormalization": ({"groups": 3}, IMAGES),
    "GroupedQueryAttention": ({"dropout": 0.5}, SEQUENCES, SEQUENCES),
    "HashedCrossing": ({}, [(1,), (1,)]),
    "IntegerLookup": ({"output_mode": "count"}, (3,)),
    "LSTM": ({"dropout": 0.5, "stateful": True}, SEQUENCES),
    "Lambda": ({"function": lambda z: z + 1}, SEQUENCES),
    "MelSpectrogram": ({"sequence_length": 16, "fft_length": 16}, (64,)),
    "MultiHeadAttention": ({"dropout": 0.5}, SEQUENCES, SEQUENCES),
    "Pipeline": (
        {"layers": lambda: [keras.layers.RandomFlip(), keras.layers.RandomHue(0.2)]},
        IMAGES,
    ),
    "RNN": (
        {
            "cell": lambda: keras.layers.StackedRNNCells(
                [
                    keras.layers.LSTMCell(2, dropout=0.5),
                    keras.layers.GRUCell(2),
                    keras.layers.SimpleRNNCell(2),
                ]
            ),
            "stateful": True,
        },
        SEQUENCES,
    ),
    "RandomPosterization": ({"factor": 4}, IMAGES),
    "RepeatVector": ({}, (3,)),
    "STFTSpectrogram": (
        {"frame_length": 16, "frame_step": 8, "fft_length": 16},
        (64, 1),
    ),
    "SimpleRNN": ({"stateful": True}, SEQUENCES),
    "StringLookup": ({"output_mode": "one_hot"}, (1,)),
    "TextVectorization": (
        {"output_mode": "tf_idf", "standardize": None, "split": "character"},
        (1,),
    ),
}

# Layers that no model of this process can have, or only inside others.
LEFT_OUT = {
    *("FlaxLayer", "JaxLayer", "TorchModuleWrapper"),  # other libraries
    "TFSMLayer",  # reads a file, which Keras refuses in safe mode
    *("InputLayer", "Layer", "Wrapper"),  # compute nothing
    *("GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"),  # inside RNN
    "MaxNumBoundingBoxes",  # takes dictionaries of boxes
    "Equalization",  # Keras itself can't call it in a functional model
}
EVERY = {
    value.__name__: value
    for value in vars(keras.layers).values()
    if isinstance(value, type) and issubclass(value, keras.layers.Layer)
}


def values_for(layer, shape):
    generator = np.random.default_rng(0)
    size = (2, *shape)
    if isinstance(layer, keras.layers.StringLookup | keras.layers.TextVectorization):
        return tf.constant(generator.choice(WORDS, size))
    if isinstance(layer, keras.layers.HashedCrossing):
        return tf.constant(generator.choice(WORDS, size))
    if isinstance(layer, INTEGERS):
        return tf.constant(generator.integers(0, 4, size))
    return tf.constant(generator.uniform(size=size), "float32")


INTEGERS = (
    keras.layers.CategoryEncoding,
    keras.layers.Embedding,
    keras.layers.Hashing,
    keras.layers.IntegerLookup,
    keras.layers.ReversibleEmbedding,
)


def make_layer(name):
    """Returns a layer of Keras, and values for its call."""
    arguments, *shapes = MORE.get(name, ({},))
    for each in inspect.signature(EVERY[name]).parameters.values():
        if each.default is each.empty and each.name in ARGUMENTS:
            arguments = {each.name: ARGUMENTS[each.name]} | arguments
    made = {
        key: value() if key in ("cell", "layer", "layers") else value
        for key, value in arguments.items()
    }
    layer = EVERY[name](**made)
    default = {"1D": SEQUENCES, "3D": (2, 2, 2, 3)}.get(name[-2:], IMAGES)
    return layer, [
        [values_for(layer, each) for each in shape]
        if isinstance(shape, list)
        else values_for(layer, shape)
        for shape in shapes or [default]
    ]


def beside_dense(layer, values):
    """Returns a model of a layer and a Dense, with a state that no new model has."""
    inputs = keras.tree.map_structure(
        lambda each: keras.Input(batch_shape=each.shape, dtype=each.dtype.name), values
    )
    dense = keras.Input((3,))
    outputs = [layer(*inputs), keras.layers.Dense(2)(dense)]
    model = keras.Model([*inputs, dense], outputs)
    generator = np.random.default_rng(1)
    for weight in model.weights:
        if weight.dtype == "float32":
            weight.assign(generator.uniform(0.1, 1, weight.shape))
    if hasattr(layer, "adapt"):
        words = values[0].dtype == "string"
        layer.adapt(WORDS if words else values[0].numpy() * 3 + 1)
    return model


# The others take a minute together.
FAST = {
    *(
        "BatchNormalization",
        "Bidirectional",
        "Discretization",
        "Dropout",
        "Normalization",
    ),
    *("IntegerLookup", "SpectralNormalization", "StringLookup", "TextVectorization"),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in FAST else pytest.mark.slow)
        for name in sorted(EVERY.keys() - LEFT_OUT)
    ],
)
def test_a_conversion_carries_the_state_of_every_layer_of_keras(name):
    layer, values = make_layer(name)
    model = beside_dense(layer, values)
    x = [*values, tf.ones((2, 3))]
    model(x, training=True)  # seeds and states move
    twin = asymmetrize(model, "uSF", print_fn=None)
    for training in (False, True, True):
        expected, *others = [
            call(each, x, training) for each in (model, twin, symmetrize(twin))
        ]
        for outputs in others:
            keras.tree.map_structure(np.testing.assert_array_equal, outputs, expected)


def call(model, x, training):
    random.seed(0)  # which AugMix uses
    return model(x, training=training)


# ------------------------------------------------------------ the user's layers


class Table(keras.layers.Layer):
    """A layer with arrays and words that only its own hooks save."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table, self.words = np.zeros(3), []
        self.metric = keras.metrics.Mean()
        self.lookup = keras.layers.StringLookup(output_mode="one_hot", max_tokens=4)

    def call(self, inputs):
        return inputs + self.table + len(self.words)

    def save_own_variables(self, store):
        store["table"] = self.table

    def load_own_variables(self, store):
        self.table = store["table"]

    def save_assets(self, folder):
        pathlib.Path(folder, "words").write_text(",".join(self.words), "utf-8")

    def load_assets(self, folder):
        self.words = pathlib.Path(folder, "words").read_text("utf-8").split(",")


def test_a_conversion_carries_what_the_user_s_own_hooks_save():
    layer = Table(name="table")
    whole = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(2)])
    layer.table, layer.words = np.array([1.0, 2.0, 4.0]), ["a", "b"]
    layer.metric.update_state(3.0)
    layer.lookup.set_vocabulary(["x", "y\nz"])
    new = asymmetrize(whole, print_fn=None).get_layer("table")
    np.testing.assert_array_equal(new.table, layer.table)
    assert new.words == layer.words
    assert new.metric.result() == 3.0
    assert new.lookup.get_vocabulary() == layer.lookup.get_vocabulary()
    new.table[0] = 7.0
    assert layer.table[0] == 1.0, "the models share an array"


class WithLayer(feedbacks.Feedback):
    """A rule with a layer inside it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = keras.layers.Dense(1)

    def build(self, kernel_shape):
        self.inner.build(kernel_shape)
        self.inner.trainable = False
        super().build(kernel_shape)

    def call(self, kernel):
        return kernel


def test_parts_leave_out_layers_inside_rules():
    old = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    twin = asymmetrize(old, WithLayer(), print_fn=None)
    assert names(surgery.parts(twin.layers[0])) == names(old.layers)
    assert symmetrize(twin).count_params() == old.count_params()


def test_a_layer_that_two_others_share_is_refused():
    dense = keras.layers.Dense(4, name="d")
    inputs = keras.Input((3, 4))
    wrapper = keras.layers.TimeDistributed(dense, name="td")
    whole = keras.Model(inputs, dense(wrapper(inputs)))
    with pytest.raises(ValueError, match="'d' in both 'td' and 'd'"):
        asymmetrize(whole)
    twice_wrapped = keras.Model(inputs, wrapper(wrapper(inputs)))
    assert symmetrize(twice_wrapped).count_params() == twice_wrapped.count_params()


def test_an_unadapted_layer_can_be_converted():
    text = keras.layers.TextVectorization(
        output_mode="tf_idf", max_tokens=5, pad_to_max_tokens=True
    )
    inputs = keras.Input((1,), dtype="string")
    old = keras.Model(inputs, keras.layers.Dense(2)(text(inputs)))
    new = asymmetrize(old, print_fn=None)
    new.layers[1].adapt(["a b", "b c"])
    assert new(tf.constant([["a"]])).shape == (1, 2)


# --------------------------------------------------------- the user's functions


@pytest.mark.parametrize("value", [None, "model", keras.Sequential])
def test_what_is_no_model_is_refused(value):
    name = type(value).__name__
    for function in (asymmetrize, symmetrize, direct_feedback):
        with pytest.raises(ValueError, match=rf"takes a Keras model.*: {name}$"):
            function(value)
