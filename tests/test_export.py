"""An exported model has no backward pass, hence no feedback."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import AsymDense, AsymSeparableConv2D, asymmetrize, feedbacks
from keras_asymbp._switch import backpropagation

RULES = ["uSF", "brSF", "frSF-25", "RndF"]


def make_model(rule, cls=AsymDense):
    arguments = {} if cls is keras.layers.Dense else {"feedback": rule}
    return keras.Sequential(
        [
            keras.Input((4,)),
            cls(5, activation="tanh", name="first", **arguments),
            keras.layers.BatchNormalization(name="norm"),
            cls(3, name="second", **arguments),
        ]
    )


def variables(path):
    """Returns the shapes of the variables in a SavedModel's file."""
    found = tf.train.list_variables(str(path / "variables" / "variables"))
    return sorted(shape for name, shape in found if name.startswith("_all_variables"))


def operations(served):
    """Returns the operations of a function and of the functions that it calls."""
    definition = served.serve.concrete_functions[0].graph.as_graph_def()
    nodes = [*definition.node]
    for function in definition.library.function:
        nodes += function.node_def
    return sorted(node.op for node in nodes)


def served_outputs(path, x):
    served = tf.saved_model.load(path)  # keeps its variables alive
    return served.serve(x).numpy()


def files(path):
    return b"".join(file.read_bytes() for file in path.rglob("*") if file.is_file())


@pytest.mark.parametrize("rule", RULES)
def test_an_exported_model_is_that_of_the_keras_layers(rule, tmp_path):
    model, stock = make_model(rule), make_model(rule, keras.layers.Dense)
    model.compile("sgd", "mse", run_eagerly=True)
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    model.train_on_batch(x, np.ones((3, 3)))
    names = ["first", "norm", "second"]
    for name in names:
        weights = model.get_layer(name).weights[: len(stock.get_layer(name).weights)]
        for weight, value in zip(stock.get_layer(name).weights, weights, strict=True):
            weight.assign(value)
    model.export(tmp_path / "ours", verbose=False)
    stock.export(tmp_path / "stock", verbose=False)
    assert variables(tmp_path / "ours") == variables(tmp_path / "stock")
    assert b"feedback" not in files(tmp_path / "ours")
    ours, theirs = (tf.saved_model.load(tmp_path / each) for each in ("ours", "stock"))
    assert operations(ours) == operations(theirs)
    assert ours.serve(x).shape == (3, 3)
    np.testing.assert_allclose(ours.serve(x), theirs.serve(x), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ours.serve(x), model(x), rtol=1e-4, atol=1e-6)


def test_two_rules_and_nested_models(tmp_path):
    inner = keras.Sequential(
        [keras.Input((6, 6, 2)), AsymSeparableConv2D(3, 2, feedback="frSF")]
    )
    inputs = keras.Input((6, 6, 2))
    x = keras.layers.Flatten()(inner(inputs))
    model = keras.Model(inputs, AsymDense(2, feedback="RndF")(x))
    model.export(tmp_path / "nested", verbose=False)
    assert len(variables(tmp_path / "nested")) == 3 + 2
    assert b"feedback" not in files(tmp_path / "nested")
    x = np.ones((2, 6, 6, 2), "float32")
    served = served_outputs(tmp_path / "nested", x)
    np.testing.assert_allclose(served, model(x), rtol=1e-6)


def test_a_converted_transformer(tmp_path):
    inputs = keras.Input((5, 4))
    x = keras.layers.MultiHeadAttention(2, 3)(inputs, inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(x))
    twin = asymmetrize(model, "frSF", print_fn=None)
    twin.export(tmp_path / "twin", verbose=False)
    model.export(tmp_path / "model", verbose=False)
    assert variables(tmp_path / "twin") == variables(tmp_path / "model")


@pytest.mark.parametrize("rule", RULES)
def test_the_model_is_unchanged(rule, tmp_path, backward_kernel):
    model = make_model(rule)
    layer = model.get_layer("second")
    before = [variable.numpy() for variable in model.variables]
    v, used = layer.feedback_kernel, backward_kernel(layer)
    names = [variable.path for variable in model.variables]
    model.export(tmp_path / "served", verbose=False)
    assert [variable.path for variable in model.variables] == names
    np.testing.assert_array_equal(layer.feedback_kernel, v)
    np.testing.assert_array_equal(backward_kernel(layer), used)
    np.testing.assert_array_equal(used, v)
    weights = zip(model.variables, before, strict=True)
    fixed = [pair for pair in weights if "state" not in pair[0].path]
    for variable, value in fixed:
        np.testing.assert_array_equal(variable, value)
    # It still trains through V, and saves the rule's state.
    model.compile("sgd", "mse", jit_compile=False)
    model.train_on_batch(np.ones((3, 4)), np.ones((3, 3)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.get_layer("second").feedback_kernel, layer.feedback_kernel
    )


def test_an_error_leaves_v_in_place(tmp_path, backward_kernel):
    model = make_model("RndF")
    layer = model.get_layer("second")
    with pytest.raises(ValueError):  # noqa: PT011
        model.export(tmp_path / "served", format="no such format")
    assert len(layer.feedback.variables) == 1
    np.testing.assert_array_equal(backward_kernel(layer), layer.feedback_kernel)


def test_a_model_trained_in_graphs_before(tmp_path):
    # Functions that were traced with V must not be reused in the export.
    model = make_model("RndF")
    x = np.ones((4, 4), "float32")
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(x, np.ones((4, 3)), verbose=0)
    model.predict(x, verbose=0)
    model.export(tmp_path / "served", verbose=False)
    assert b"feedback" not in files(tmp_path / "served")
    served = served_outputs(tmp_path / "served", x)
    np.testing.assert_allclose(served, model(x), rtol=1e-6)


def test_a_custom_input_signature(tmp_path):
    model = make_model("frSF")
    signature = [keras.InputSpec(shape=(2, 4), dtype="float32")]
    model.export(tmp_path / "served", verbose=False, input_signature=signature)
    served = tf.saved_model.load(tmp_path / "served")
    assert served.serve(tf.ones((2, 4))).shape == (2, 3)


def test_a_silent_export_prints_nothing(tmp_path, capfd):
    make_model("uSF").export(tmp_path / "served", verbose=False)
    assert capfd.readouterr().out == ""
    make_model("uSF").export(tmp_path / "told")
    assert "serve" in capfd.readouterr().out


def test_export_archive_by_hand_still_works(tmp_path):
    # Keras's class knows no rules: it exports their variables, too.
    model = make_model("RndF")
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serve", model.call, [keras.InputSpec(shape=(None, 4), dtype="float32")]
    )
    archive.write_out(tmp_path / "served", verbose=False)
    x = np.ones((2, 4), "float32")
    served = served_outputs(tmp_path / "served", x)
    np.testing.assert_allclose(served, model(x), rtol=1e-6)
    assert (4, 5) in map(tuple, variables(tmp_path / "served"))


@pytest.mark.slow
def test_models_without_our_layers_export_as_before(tmp_path, run_python):
    code = """if True:
        import sys
        import keras, numpy, tensorflow as tf
        if "ours" in sys.argv:
            import keras_asymbp
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Conv2D(2, 2), keras.layers.BatchNormalization()]
        model = keras.Sequential([keras.Input((4, 4, 1)), *layers])
        model.export(sys.argv[1], verbose=False)
        served = tf.saved_model.load(sys.argv[1])
        graph = served.serve.concrete_functions[0].graph.as_graph_def()
        print(sorted(node.op for node in graph.node))
        variables = tf.train.list_variables(sys.argv[1] + "/variables/variables")
        print(sorted(shape for _, shape in variables))
        print(served.serve(numpy.ones((1, 4, 4, 1), "float32")).numpy().tolist())
    """
    ours = run_python(code, arguments=[str(tmp_path / "one"), "ours"])
    assert ours == run_python(code, arguments=[str(tmp_path / "two")])


def test_keras_exports_models_without_our_layers(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "keras_asymbp.export._export",
        lambda model, path: seen.append((model.name, bool(backpropagation))),
    )
    stock = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)], name="stock")
    inner = keras.Sequential([keras.Input((4,)), AsymDense(3)])
    for model in (stock, keras.Sequential([inner, keras.layers.Dense(2)], name="ours")):
        model.export(tmp_path / "served")
    assert seen == [("stock", False), ("ours", True)]


@pytest.mark.parametrize("traced_before", [True, False])
def test_a_decorated_call(traced_before, tmp_path, decorated):
    layer = AsymDense(3, feedback="RndF")
    layer.build((None, 4))
    model = keras.Sequential([keras.Input((4,)), decorated(layer)])
    x = tf.ones((2, 4))
    if traced_before:
        model(x)
    model.export(tmp_path / "served", verbose=False)
    assert b"feedback" not in files(tmp_path / "served")
    np.testing.assert_allclose(served_outputs(tmp_path / "served", x), model(x))
    # Its trace has not kept backpropagation.
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = model(x)
    expected = tf.ones((2, 3)) @ tf.transpose(layer.feedback_kernel)
    np.testing.assert_allclose(tape.gradient(y, x), expected, rtol=1e-5)


def test_export_has_the_interface_of_keras():
    assert keras.Model.export.__name__ == "export"
    assert "Export" in keras.Model.export.__doc__
    assert feedbacks.get("RndF").variables == []
