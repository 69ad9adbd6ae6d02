"""A model and its twin have the same outputs and different errors."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import (
    AsymConv2D,
    AsymDense,
    BatchManhattan,
    RedrawFeedback,
    asymmetrize,
    feedbacks,
    symmetrize,
)
from keras_asymbp.layers import LAYERS, AsymmetricLayer, asymmetric_layers
from keras_asymbp.testing.tools import rules_of


def sequential():
    return keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            keras.layers.Conv2D(4, 3, name="conv"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2, name="dense"),
        ],
        name="a_sequential",
    )


def functional():
    inputs = keras.Input((6, 6, 3))
    x = keras.layers.Conv2D(3, 3, padding="same")(inputs)
    x = keras.ops.relu(x + inputs)
    x = keras.layers.DepthwiseConv2D(2)(x)
    x = keras.layers.SeparableConv2D(2, 2)(x)
    x = keras.layers.Conv2DTranspose(2, 2)(x)
    x = keras.layers.Reshape((25, 2))(x)
    x = keras.layers.Conv1D(2, 3)(x)
    x = keras.layers.EinsumDense("abc,cd->abd", (None, 4))(x)
    x = keras.layers.MultiHeadAttention(2, 3)(x, x)
    return keras.Model(inputs, {"first": x, "second": keras.layers.Dense(2)(x)})


def nested():
    inner = sequential()
    inputs = keras.Input((6, 6, 3))
    x = keras.layers.Conv2D(3, 1, name="outer")(inputs)
    innermost = keras.Model(inputs, x, name="a_functional")
    whole = keras.Input((6, 6, 3))
    return keras.Model(
        whole, keras.layers.Dense(1, name="top")(inner(innermost(whole)))
    )


def shared():
    inputs = keras.Input((4,))
    dense = keras.layers.Dense(4, name="shared")
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="inner")])
    return keras.Model(inputs, dense(inner(dense(inner(inputs)))))


def several_inputs():
    inputs = {"a": keras.Input((4,), name="a"), "b": keras.Input((3, 2), name="b")}
    b = keras.layers.Conv1D(4, 3)(inputs["b"])
    x = keras.layers.Add()([inputs["a"], keras.layers.Flatten()(b)])
    return keras.Model(inputs, [keras.layers.Dense(2)(x), x])


MODELS = [sequential, functional, nested, shared, several_inputs]


def data(model, samples=3):
    generator = np.random.default_rng(0)
    sequential = isinstance(model, keras.Sequential)
    return keras.tree.map_structure(
        lambda x: generator.normal(size=(samples, *x.shape[1:])).astype("float32"),
        model.inputs[0] if sequential else model.input,
    )


def scramble(model):
    """Sets weights that no initializer would give."""
    generator = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(generator.uniform(0.1, 1, weight.shape))


def assert_same_outputs(model, other):
    x = data(model)
    keras.tree.map_structure(np.testing.assert_array_equal, model(x), other(x))


def quiet(model, *args, **kwargs):
    return asymmetrize(model, *args, print_fn=None, **kwargs)


def lines(model, *args, **kwargs):
    printed = []
    asymmetrize(model, *args, print_fn=printed.append, **kwargs)
    return printed


def leaves(model):
    return [
        layer
        for layer in model._flatten_layers()
        if not isinstance(layer, feedbacks.Feedback)
    ]


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("feedback", ["uSF", "brSF-25", "frSF", None])
def test_outputs_and_names_are_those_of_the_model(make, feedback):
    model = make()
    scramble(model)
    twin = quiet(model, feedback)
    assert_same_outputs(model, twin)
    assert twin.name == model.name
    for layer, original in zip(leaves(twin), leaves(model), strict=True):
        assert layer.name == original.name
        kind = type(layer).__name__.removeprefix("Asym")
        assert kind == type(original).__name__
        supported = f"Asym{kind}" in LAYERS
        assert isinstance(layer, AsymmetricLayer) == supported
        if supported:
            assert type(layer.feedback) is type(feedbacks.get(feedback))


@pytest.mark.parametrize("make", MODELS)
def test_symmetrize_reverses_asymmetrize(make):
    model = make()
    scramble(model)
    back = symmetrize(quiet(model, "frSF"))
    assert [type(layer) for layer in leaves(back)] == [
        type(layer) for layer in leaves(model)
    ]
    for layer, original in zip(leaves(back), leaves(model), strict=True):
        if isinstance(original, keras.Model):
            continue
        assert layer.get_config() == original.get_config()
    assert_same_outputs(model, back)
    assert not asymmetric_layers(back)


@pytest.mark.parametrize("make", MODELS)
def test_the_original_is_unchanged(make):
    model = make()
    model.compile("sgd", "mse")
    before = [weight.numpy() for weight in model.weights]
    layers = model._flatten_layers()
    twin = quiet(model)
    assert model._flatten_layers() == layers
    assert model.compiled
    assert not twin.compiled
    ids = {id(variable) for variable in model.variables}
    assert not any(id(variable) in ids for variable in twin.variables)
    for weight in twin.weights:
        weight.assign(weight + keras.ops.ones_like(weight))
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


@pytest.mark.parametrize("make", MODELS)
def test_saved_and_loaded(make, tmp_path):
    twin = quiet(make(), "brSF")
    twin.save(tmp_path / "twin.keras")
    loaded = keras.models.load_model(tmp_path / "twin.keras")
    assert_same_outputs(twin, loaded)
    assert len(asymmetric_layers(loaded)) == len(asymmetric_layers(twin))


def adapted():
    """A model with statistics and a vocabulary, seeds, and functions of its own."""
    numbers, text = keras.Input((4,)), keras.Input((2,), dtype="string")
    norm = keras.layers.Normalization()
    norm.adapt(np.random.default_rng(0).normal(5, 3, (20, 4)))
    words = keras.layers.StringLookup(output_mode="multi_hot")
    words.adapt(["to", "be", "or", "not"])
    x = keras.layers.Concatenate()([norm(numbers), words(text)])
    x = keras.layers.Lambda(lambda z: z - 1)(x)
    x = keras.layers.Dropout(0.5)(keras.layers.Dense(4, activation=lambda z: -z)(x))
    return keras.Model([numbers, text], keras.layers.Dense(2)(x))


@pytest.mark.parametrize("wrapped", [False, True])
def test_state_and_functions_are_carried_both_ways(wrapped):
    model = adapted()
    if wrapped:
        inputs = [keras.Input((4,)), keras.Input((2,), dtype="string")]
        model = keras.Model(inputs, keras.layers.Dense(2)(model(inputs)))
    x = [keras.ops.ones((2, 4)), tf.constant([["to", "see"], ["not", "be"]])]
    model(x, training=True)
    twin = quiet(model, "frSF")
    models = [model, twin, symmetrize(twin)]
    for training in (False, True, True):
        expected, *others = [each(x, training=training) for each in models]
        for outputs in others:
            np.testing.assert_array_equal(outputs, expected)


def stock():
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, name="below"),
            keras.layers.Dense(2, name="above"),
        ]
    )


@pytest.mark.parametrize("feedback", ["uSF", "frSF"])
def test_weights_of_a_stock_model_are_refused_with_the_way_to_load_them(
    feedback, tmp_path
):
    model = stock()
    model.save_weights(tmp_path / "stock.weights.h5")
    twin = quiet(stock(), feedback)
    with pytest.raises(ValueError, match=r"'below' \(AsymDense\).*a model with Dense"):
        twin.load_weights(tmp_path / "stock.weights.h5")
    again = stock()
    again.load_weights(tmp_path / "stock.weights.h5")
    assert_same_outputs(model, quiet(again, feedback))


def test_weights_of_stock_attention_are_refused_too(tmp_path):
    def attention():
        inputs = keras.Input((3, 4))
        return keras.Model(
            inputs, keras.layers.MultiHeadAttention(2, 2)(inputs, inputs)
        )

    attention().save_weights(tmp_path / "stock.weights.h5")
    with pytest.raises(ValueError, match=r"\(AsymEinsumDense\).*asymmetrize\(model\)"):
        quiet(attention()).load_weights(tmp_path / "stock.weights.h5")


def test_the_error_of_a_twin_travels_through_v():
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(2, use_bias=False),
            keras.layers.Dense(1, use_bias=False),
        ]
    )
    model.layers[0].kernel.assign([[1.0, 1.0]])
    model.layers[1].kernel.assign([[0.25], [-4.0]])
    for each, expected in ((quiet(model), [[1.0, -1.0]]), (model, [[0.25, -4.0]])):
        before = each.layers[0].kernel.numpy()
        each.compile(keras.optimizers.SGD(1.0), "mae")  # dE/dY = 1, for Y > target
        each.train_on_batch(np.ones((1, 1)), np.full((1, 1), -100.0))
        np.testing.assert_allclose(before - each.layers[0].kernel, expected, rtol=1e-6)


def test_shared_layers_stay_shared():
    twin = quiet(shared(), "frSF")
    first, second = asymmetric_layers(twin)
    assert {first.name, second.name} == {"shared", "inner"}
    assert len(twin.trainable_weights) == 4


def test_layers_keep_their_settings():
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            keras.layers.Conv2D(
                4,
                2,
                strides=2,
                groups=2,
                dtype="mixed_float16",
                kernel_regularizer=keras.regularizers.L2(0.1),
                activation="tanh",
            ),
            keras.layers.Flatten(),
            keras.layers.Dense(
                2,
                kernel_constraint=keras.constraints.NonNeg(),
                bias_regularizer="l1",
                use_bias=True,
            ),
        ]
    )
    twin = quiet(model)
    for layer, original in zip(twin.layers, model.layers, strict=True):
        config = layer.get_config()
        config.pop("feedback", None)
        assert config == original.get_config()
        assert layer.dtype_policy == original.dtype_policy
    conv, _, dense = twin.layers
    assert conv.compute_dtype == "float16"
    assert dense.compute_dtype == "float32"
    assert len(twin.losses) == 2
    x = data(model)
    model(x), twin(x)
    np.testing.assert_array_equal(twin.losses, model.losses)
    assert_same_outputs(model, twin)


def test_trainable_is_kept():
    model = nested()
    inner = model.get_layer("a_sequential")
    inner.trainable = False
    inner.get_layer("dense").trainable = True
    model.get_layer("a_functional").trainable = False
    model.get_layer("a_functional").get_layer("outer").trainable = True
    model.get_layer("top").bias.trainable = False
    for twin in (quiet(model), symmetrize(quiet(model))):
        assert [layer.trainable for layer in leaves(twin)] == [
            layer.trainable for layer in leaves(model)
        ]
        assert [v.path for v in twin.trainable_variables] == [
            v.path for v in model.trainable_variables
        ]
    model.trainable = False
    twin = quiet(model)
    assert not twin.trainable
    assert not twin.trainable_variables


def test_dropout_continues_its_sequence():
    model = sequential()
    model(data(model), training=True)
    twin = quiet(model)
    np.testing.assert_array_equal(
        model(data(model), training=True), twin(data(model), training=True)
    )


def test_a_filter_selects_layers():
    model = nested()
    twin = quiet(model, filter=lambda layer: isinstance(layer, keras.layers.Conv2D))
    assert [layer.name for layer in asymmetric_layers(twin)] == ["outer", "conv"]
    assert all(type(layer) is AsymConv2D for layer in asymmetric_layers(twin))
    assert_same_outputs(model, twin)


def test_a_filter_receives_only_convertible_layers():
    asked = []
    quiet(sequential(), filter=lambda layer: asked.append(layer.name) or True)
    assert asked == ["conv", "dense"]


def test_a_rule_for_each_pattern_of_names():
    rules = {"con?": "frSF-25", "[cd]*": None}
    twin = quiet(sequential(), feedback=rules)
    conv, dense = asymmetric_layers(twin)
    assert conv.feedback.flip_probability == 0.25  # by the first match
    assert type(dense.feedback) is feedbacks.Symmetric


def test_a_rule_for_the_last_layer_and_one_for_all_others():
    model = nested()
    twin = quiet(model, feedback={"top": "BP", "*": "RndF"})
    layers = {layer.name: layer for layer in asymmetric_layers(twin)}
    assert type(layers.pop("top").feedback) is feedbacks.Symmetric
    assert len(layers) == 3
    for layer in layers.values():
        assert type(layer.feedback) is feedbacks.FixedRandom
    # Each has its own stream.
    assert len({float(np.max(layer.feedback_kernel)) for layer in layers.values()}) == 3
    assert_same_outputs(model, twin)


def test_layers_of_one_pattern_and_seed_have_independent_streams():
    model = keras.Sequential([keras.Input((3,))])
    for name in ("d1", "d2", "e1", "e2"):
        model.add(keras.layers.Dense(3, name=name))
    rule = feedbacks.FixedRandom(seed=5)
    twin = quiet(model, feedback={"d?": rule, "e[12]": feedbacks.serialize(rule)})
    kernels = [layer.feedback_kernel.numpy() for layer in asymmetric_layers(twin)]
    assert len({kernel.tobytes() for kernel in kernels}) == 4


def test_layers_without_a_pattern_are_kept():
    assert lines(sequential(), feedback={"conv": "uSF"}) == [
        "Conv2D -> AsymConv2D: conv",
        "BatchNormalization kept (has no asymmetric form): norm",
        "Dense kept (no pattern matches its name): dense",
    ]


def test_a_catch_all_may_match_nothing():
    twin = quiet(sequential(), feedback={"conv": "uSF", "dense": "BP", "*": "RndF"})
    assert len(asymmetric_layers(twin)) == 2


@pytest.mark.parametrize(
    ("rules", "unused"),
    [
        ({"conv": "uSF", "fc*": "BP"}, "'fc\\*'"),
        ({"c*": "uSF", "conv": "BP"}, "'conv'"),  # the first matches it
        ({"norm": "uSF"}, "'norm'"),
    ],
)
def test_refuses_a_pattern_without_a_layer(rules, unused):
    with pytest.raises(ValueError, match=f"{unused}, which is the first for none of"):
        quiet(sequential(), feedback=rules)


def test_refuses_a_pattern_that_is_no_string():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match=r"`feedback` must have patterns.*`filter`"):
        asymmetrize(model, feedback={keras.layers.Dense: "uSF"})


def test_the_summary_is_printed(capsys):
    asymmetrize(sequential())
    assert capsys.readouterr().out.splitlines() == [
        "Conv2D -> AsymConv2D: conv",
        "Dense -> AsymDense: dense",
        "BatchNormalization kept (has no asymmetric form): norm",
    ]


class Block(keras.layers.Layer):
    """A layer that creates a Dense."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(4, name="within")

    def build(self, shape):
        self.dense.build(shape)
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, inputs):
        return self.scale * self.dense(inputs)


def test_the_summary_is_complete():
    inputs = keras.Input((5,))
    x = keras.layers.Embedding(10, 4, name="embedding")(inputs)
    x = keras.layers.Dense(4, name="not_picked")(x)
    x = keras.layers.TimeDistributed(keras.layers.Dense(4, name="each"), name="td")(x)
    x = Block(name="block")(x)
    x = keras.layers.LSTM(4, name="lstm")(x)
    x = keras.layers.ReLU()(x)
    model = keras.Model(inputs, keras.layers.Dense(1, name="picked")(x))
    assert lines(model, filter=lambda layer: layer.name != "not_picked") == [
        "Dense -> AsymDense: picked",
        "Embedding kept (has no asymmetric form): embedding",
        "Dense kept (not picked by the filter): not_picked",
        "Dense kept (created by the code of TimeDistributed): td/each",
        "Dense kept (created by the code of Block): block/within",
        "Block kept (has no asymmetric form): block",
        "LSTM kept (has no asymmetric form): lstm",
    ]


def test_the_summary_of_many_layers_is_short():
    model = keras.Sequential([keras.Input((1,))])
    for number in range(9):
        model.add(keras.layers.Dense(1, name=f"d{number}"))
    (line,) = lines(model)
    assert line == "Dense -> AsymDense: d0, d1, d2, d3, d4, d5 and 3 more"


class Preset(keras.layers.Dense):
    """A Dense with other defaults, an attribute and a method."""

    tag = "mine"

    def __init__(self, units=3, scale=2.0, **kwargs):
        super().__init__(units, activation="relu", **kwargs)
        self.scale = scale

    def describe(self):
        return f"{self.scale}"

    def get_config(self):
        config = super().get_config() | {"scale": self.scale}
        del config["activation"]
        return config


class Doubled(keras.layers.Dense):
    """A Dense with another `call`."""

    def call(self, inputs, training=None):
        return 2 * super().call(inputs, training=training)


def test_a_subclass_that_only_adds_is_converted(tmp_path):
    model = keras.Sequential([keras.Input((4,)), Preset(name="preset")])
    assert lines(model) == ["Preset -> AsymDense: preset"]
    twin = quiet(model)
    assert type(twin.layers[0]) is AsymDense
    assert twin.layers[0].activation is keras.activations.relu
    assert_same_outputs(model, twin)
    twin.save(tmp_path / "twin.keras")  # without the user's code
    assert_same_outputs(model, keras.models.load_model(tmp_path / "twin.keras"))
    assert type(symmetrize(twin).layers[0]) is keras.layers.Dense


def test_a_subclass_that_changes_the_layer_is_kept():
    model = keras.Sequential(
        [keras.Input((4,)), Doubled(2, name="two"), keras.layers.Dense(1, name="one")]
    )
    assert lines(model) == [
        "Dense -> AsymDense: one",
        "Doubled kept (overrides Dense.call: make it a subclass of AsymDense): two",
    ]
    twin = quiet(model)
    assert type(twin.layers[0]) is Doubled
    assert_same_outputs(model, twin)


def test_the_advice_to_subclass_the_asymmetric_layer_works():
    class AsymDoubled(AsymDense):
        def call(self, inputs, training=None):
            return 2 * super().call(inputs, training=training)

    model = keras.Sequential([keras.Input((4,)), AsymDoubled(2)])
    assert model.layers[0].feedback_kernel.shape == (4, 2)
    with pytest.raises(ValueError, match=r"overrides AsymDense.call: Dense isn't"):
        symmetrize(model)


def test_a_functional_model_of_a_subclass():
    class Mine(keras.Model):
        def __init__(self, units):
            inputs = keras.Input((4,))
            super().__init__(inputs, keras.layers.Dense(units, name="d")(inputs))

    model = Mine(2)
    assert_same_outputs(model, quiet(model))
    assert lines(model)[-1] == f"Mine -> Functional, without its methods: {model.name}"


def test_a_sequential_model_without_an_input():
    model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2)])
    x = np.ones((2, 4), "float32")
    y = model(x)
    np.testing.assert_array_equal(quiet(model)(x), y)


def test_a_loss_without_a_config_is_no_problem():
    model = sequential()
    model.compile("sgd", loss=lambda y, p: keras.ops.mean(y - p))
    quiet(model)
    assert model.compiled


class Subclassed(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(2)

    def call(self, inputs):
        return self.dense(inputs)


@pytest.mark.parametrize("convert", [asymmetrize, symmetrize])
def test_a_subclassed_model_is_refused(convert):
    model = Subclassed(name="mine")
    model(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"takes a functional.*Subclassed 'mine'"):
        convert(model)
    with pytest.raises(ValueError, match=r"takes a functional.*Dense 'd'"):
        convert(keras.layers.Dense(1, name="d"))

    class OwnCall(keras.Sequential):
        def call(self, inputs, training=None, mask=None):
            return -super().call(inputs)

    inner = OwnCall([keras.Input((3,)), keras.layers.Dense(2)], name="own")
    for each in (inner, keras.Sequential([keras.Input((3,)), inner])):
        with pytest.raises(ValueError, match=r"takes a functional.*OwnCall 'own'"):
            convert(each)


def test_a_subclassed_model_inside_is_kept_and_named():
    class Inside(Subclassed):
        def get_config(self):
            return {"name": self.name}

    model = keras.Sequential(
        [keras.Input((3,)), Inside(name="in"), keras.layers.Dense(1, name="out")]
    )
    dense = model.layers[0].dense.name
    assert lines(model) == [
        "Dense -> AsymDense: out",
        f"Dense kept (created by the code of Inside): in/{dense}",
    ]
    assert_same_outputs(model, quiet(model))


@pytest.mark.parametrize("convert", [asymmetrize, symmetrize])
def test_an_unbuilt_model_is_refused(convert):
    model = keras.Sequential([keras.layers.Dense(2)], name="early")
    with pytest.raises(ValueError, match=r"takes a built model: give 'early' an Input"):
        convert(model)


def test_a_model_with_nothing_to_convert_is_refused():
    model = keras.Sequential([keras.Input((3,)), keras.layers.ReLU()], name="plain")
    with pytest.raises(ValueError, match=r"no layer to convert.*'plain' with ReLU"):
        asymmetrize(model)
    with pytest.raises(ValueError, match=r"AsymDense|Dense"):
        asymmetrize(sequential(), filter=lambda layer: False)


@pytest.mark.parametrize("argument", ["filter", "print_fn"])
def test_a_function_is_expected(argument):
    with pytest.raises(ValueError, match=rf"`{argument}` must be .*{argument}='dense'"):
        asymmetrize(sequential(), **{argument: "dense"})


def test_an_asymmetric_model_is_refused():
    with pytest.raises(ValueError, match=r"'conv' already has a feedback rule"):
        asymmetrize(quiet(sequential()))
    assert symmetrize(sequential()).name == "a_sequential"  # allowed


def test_an_asymmetric_layer_inside_another_layer_is_refused():
    model = keras.Sequential(
        [
            keras.Input((5, 3)),
            keras.layers.TimeDistributed(AsymDense(2, name="within"), name="td"),
            keras.layers.Dense(1),
        ]
    )
    for convert in (asymmetrize, symmetrize):
        expected = rf"'within' is created by .*'td'.* which `{convert.__name__}` can't"
        with pytest.raises(ValueError, match=expected):
            convert(model)


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="Unknown feedback rule"):
        asymmetrize(sequential(), "sSF")


def test_lora_inside_attention_is_kept():
    inputs = keras.Input((4, 6))
    attention = keras.layers.MultiHeadAttention(2, 3, name="attention")
    outputs = keras.layers.Dense(2, name="dense")(attention(inputs, inputs))
    model = keras.Model(inputs, outputs)
    attention.query_dense.enable_lora(2, lora_alpha=5)
    x = np.random.default_rng(0).normal(size=(2, 4, 6))
    attention.query_dense.lora_kernel_b.assign(np.ones((2, 3)))
    summary = []
    twin = asymmetrize(model, print_fn=summary.append)
    assert summary == [
        "Dense -> AsymDense: dense",
        "MultiHeadAttention kept (has LoRA or is quantized): attention",
    ]
    np.testing.assert_allclose(twin(x), model(x), rtol=1e-5)
    trainable = [
        [variable.name for variable in each.get_layer("attention").trainable_variables]
        for each in (twin, model)
    ]
    assert trainable[0] == trainable[1]


def test_lora_and_quantization_are_kept():
    model = keras.Sequential([keras.Input((4,))])
    for name in ("lora", "int8", "plain"):
        model.add(keras.layers.Dense(4, name=name))
    model.get_layer("lora").enable_lora(1)
    model.get_layer("int8").quantize("int8")
    assert lines(model) == [
        "Dense -> AsymDense: plain",
        "Dense kept (has LoRA or is quantized): lora, int8",
    ]
    assert_same_outputs(model, quiet(model))


def kernels(model):
    return [
        v.numpy()
        for layer in asymmetric_layers(model)
        for *_, v in layer.feedback_pairs()
    ]


def equal_layers():
    layers = [keras.layers.Dense(20, kernel_initializer="ones") for _ in range(3)]
    return keras.Sequential([keras.Input((20,)), *layers])


@pytest.mark.parametrize("rule", ["BatchwiseRandomSignConcordant", "FixedRandom"])
def test_a_seed_reproduces_a_model_with_a_stream_per_layer(rule):
    def made(seed):
        return kernels(quiet(equal_layers(), getattr(feedbacks, rule)(seed=seed)))

    first, again, other = made(7), made(7), made(8)
    np.testing.assert_array_equal(first, again)
    assert not np.any(np.equal(first, other))
    correlations = np.corrcoef([v.ravel() for v in first])
    assert np.all(abs(correlations - np.eye(3)) < 0.2)


def test_without_a_seed_it_follows_keras():
    def made():
        keras.utils.set_random_seed(3)
        return kernels(quiet(equal_layers(), "frSF"))

    first, again = made(), made()
    np.testing.assert_array_equal(first, again)
    assert np.any(first[0] != first[1])


def test_a_custom_rule_with_arguments():
    # Keras can't find its class by name.
    class Scaled(feedbacks.Feedback):
        def __init__(self, factor, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, kernel):
            return self.factor * kernel

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    rule = Scaled(3.0)
    model = functional()
    twin = quiet(model, rule)
    layers = asymmetric_layers(twin)
    # Attention has those of its projections, which are among the layers.
    pairs = {id(w): (w, v) for layer in layers for _, w, v in layer.feedback_pairs()}
    assert len(pairs) == 12  # two of SeparableConv2D, four of attention
    for w, v in pairs.values():
        np.testing.assert_array_equal(v, 3 * w.numpy())
    rules = rules_of(twin)
    assert len(rules) == 13  # and the template of the attention's four
    assert rule not in rules


def transformer():
    """A small transformer of stock layers."""
    inputs = keras.Input((6,), dtype="int32")
    x = keras.layers.Embedding(11, 8)(inputs)
    for _ in range(2):
        attended = keras.layers.MultiHeadAttention(2, 4, dropout=0.1)(x, x)
        x = keras.layers.LayerNormalization()(keras.layers.Add()([x, attended]))
        wide = keras.layers.Dense(16, activation="gelu")(x)
        x = keras.layers.LayerNormalization()(x + keras.layers.Dense(8)(wide))
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))


def application(name, size=64):
    def make():
        network = getattr(keras.applications, name)
        return network(weights=None, input_shape=(size, size, 3), classes=3)

    return make


WHOLE = {
    "transformer": transformer,
    "ResNet50": application("ResNet50"),
    "MobileNetV2": application("MobileNetV2"),
    "DenseNet121": application("DenseNet121"),
    "EfficientNetB0": application("EfficientNetB0"),
    "ConvNeXtTiny": application("ConvNeXtTiny"),
}


@pytest.mark.slow
@pytest.mark.parametrize("make", WHOLE.values(), ids=WHOLE)
def test_whole_networks(make, tmp_path):
    model = make()
    x = np.random.default_rng(0).uniform(0, 10, (2, *model.input_shape[1:]))
    y = keras.utils.to_categorical([0, 2], 3)
    twin = asymmetrize(model, "brSF", print_fn=None)
    np.testing.assert_array_equal(twin(x), model(x))
    supported = [layer.twin() for layer in LAYERS.values()]
    present = sum(type(layer) in supported for layer in model._flatten_layers())
    assert len(asymmetric_layers(twin)) >= present > 4
    assert not any(type(layer) in supported for layer in twin.layers)
    # One step: the error reaches the weights of all layers. A graph of hundreds of
    # layers takes minutes to trace.
    twin.compile(
        BatchManhattan(1e-4),
        "categorical_crossentropy",
        run_eagerly=len(twin.layers) > 50,
        jit_compile=False,
    )
    before = [weight.numpy() for weight in twin.trainable_weights]
    twin.fit(x, y, batch_size=2, verbose=0, callbacks=[RedrawFeedback()])
    after = twin.trainable_weights
    moved = [np.any(b != a.numpy()) for b, a in zip(before, after, strict=True)]
    assert np.mean(moved) > 0.5
    assert any(moved[:3])
    twin.save(tmp_path / "twin.keras")
    loaded = keras.models.load_model(tmp_path / "twin.keras", compile=False)
    np.testing.assert_array_equal(loaded(x), twin(x))
