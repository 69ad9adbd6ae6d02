"""What holds for every layer with every rule: a new one of either is run through it.

A new layer needs a line in `CASES`, a new rule nothing. V's own formula is tested with
its rule; here it is what `feedback_kernel` says, and the rest is stock Keras.
"""

import functools
import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from keras_asymbp import BatchManhattan, RedrawFeedback, feedbacks, redraw_feedback
from keras_asymbp.layers import LAYERS

# Arguments and the shape of one input.
CASES = {
    "AsymConv2D": ({"filters": 3, "kernel_size": 2, "activation": "tanh"}, (4, 4, 2)),
    "AsymDense": ({"units": 3, "activation": "tanh"}, (4,)),
}
RULES = [
    *feedbacks.ALIASES,
    *(f"{alias}-25" for alias in feedbacks._partial_aliases()),
]

each_layer = pytest.mark.parametrize("layer_name", LAYERS)
each_rule = pytest.mark.parametrize("rule", RULES)


def make(layer_name, rule, **more):
    arguments, shape = CASES[layer_name]
    layer = LAYERS[layer_name](**arguments | more, feedback=rule)
    layer.build((None, *shape))
    return layer


def make_model(layer_name, rule, **arguments_of_model):
    """The layer, and a stock layer before it that its error must reach."""
    arguments, shape = CASES[layer_name]
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Dense(shape[-1]),
            LAYERS[layer_name](**arguments, feedback=rule),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ],
        **arguments_of_model,
    )


def data(layer_name, samples=3):
    _, shape = CASES[layer_name]
    generator = np.random.default_rng(0)
    x = generator.normal(size=(samples, *shape)).astype("float32")
    return x, generator.normal(size=(samples, 1)).astype("float32")


def error_for(layer, x):
    shape = layer.compute_output_shape(x.shape)
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def asymmetric_layer(model):
    return model.layers[1]


def assert_all_equal(actual, expected):
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, e)


def assert_all_close(actual, expected, rtol=1e-4, atol=1e-5):
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(
            tf.cast(a, "float64"), tf.cast(e, "float64"), rtol=rtol, atol=atol
        )


def test_every_layer_has_its_case():
    assert LAYERS.keys() == CASES.keys()


@each_layer
def test_signature_is_that_of_the_keras_layer_and_feedback(layer_name):
    ours = dict(inspect.signature(LAYERS[layer_name]).parameters)
    twin = getattr(keras.layers, layer_name.removeprefix("Asym"))
    feedback = ours.pop("feedback")
    assert ours == dict(inspect.signature(twin).parameters)
    assert feedback.default == "uSF"
    assert feedback.kind is inspect.Parameter.KEYWORD_ONLY


@each_layer
@each_rule
def test_gradients_are_stock_with_v_in_the_backward_pass(
    layer_name, rule, gradients, stock_gradients
):
    layer = make(layer_name, rule)
    x, _ = data(layer_name)
    error = error_for(layer, x)
    v = layer.feedback_kernel
    assert v.shape == layer.kernel.shape
    expected = stock_gradients(layer, x, error, v)
    assert_all_close(gradients(layer, x, error), expected)


@each_layer
def test_bp_is_stock_to_the_last_bit(layer_name, gradients, twin):
    layer = make(layer_name, None)
    x, _ = data(layer_name)
    error = error_for(layer, x)
    assert_all_equal(gradients(layer, x, error), gradients(twin(layer), x, error))


@each_layer
@each_rule
def test_outputs_are_the_twin_s(layer_name, rule, twin):
    layer = make(layer_name, rule)
    x, _ = data(layer_name)
    np.testing.assert_array_equal(layer(x), twin(layer)(x))


@each_layer
@each_rule
def test_second_order(layer_name, rule, twin):
    # The gradient in W of C . dE/dX, which hyper-gradients and penalties take.
    layer = make(layer_name, rule, activation=None)
    x, _ = data(layer_name)
    x, c = tf.constant(x), tf.constant(x[::-1].copy())

    def second_order(layer):
        kernel = layer.kernel.value
        with tf.GradientTape() as outer:
            outer.watch(kernel)
            with tf.GradientTape() as inner:
                inner.watch(x)
                energy = tf.reduce_sum(layer(x) ** 2) / 2
            first = inner.gradient(energy, x)
            loss = tf.reduce_sum(first * c)
        return outer.gradient(loss, kernel)

    if layer.feedback.symmetric:
        expected = second_order(twin(layer))
        np.testing.assert_array_equal(second_order(layer), expected)
        return
    # C . dE/dX = product(C, V) . dE/dY, and dE/dY = Y = product(X, W). V does not move
    # with W: so this is dE/dW for the error product(C, V). (The biases are zero.)
    with_v, with_w = twin(layer), twin(layer)
    with_v.kernel.assign(layer.feedback_kernel)
    kernel = with_w.kernel.value
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        y = with_w(x)
    assert_all_close([second_order(layer)], [tape.gradient(y, kernel, with_v(c))])


@each_layer
@each_rule
@pytest.mark.parametrize(
    ("policy", "tolerance"),
    [("float64", 1e-9), ("mixed_float16", 0.02), ("mixed_bfloat16", 0.1)],
)
def test_precision_policies(
    layer_name, rule, policy, tolerance, gradients, stock_gradients
):
    layer = make(layer_name, rule, dtype=policy)
    x, _ = data(layer_name)
    x = tf.cast(x, layer.compute_dtype)
    error = error_for(layer, x)
    actual = gradients(layer, x, error)
    y, dx, dw, _ = actual
    assert y.dtype == dx.dtype == layer.compute_dtype
    assert dw.dtype == layer.variable_dtype
    expected = stock_gradients(layer, x, error, v=layer.feedback_kernel)
    for a, e in zip(actual, expected, strict=True):
        scale = np.abs(tf.cast(e, "float64")).max()
        assert_all_close([a], [e], rtol=0, atol=tolerance * scale)


@each_layer
@each_rule
def test_a_frozen_layer_passes_the_error_down(layer_name, rule, gradients):
    model = make_model(layer_name, rule)
    layer = asymmetric_layer(model)
    layer.trainable = False
    assert not layer.trainable_weights
    v, frozen = layer.feedback_kernel, layer.get_weights()
    below = model.layers[0].get_weights()
    model.compile("batch_manhattan", "mse", run_eagerly=True)
    model.train_on_batch(*data(layer_name))
    assert_all_equal(layer.kernel.numpy(), frozen[0])
    assert_all_equal(layer.bias.numpy(), frozen[1])
    assert np.any(model.layers[0].get_weights()[0] != below[0])
    np.testing.assert_array_equal(layer.feedback_kernel, v)
    # The same error as the trainable layer would pass.
    x = data(layer_name)[0]
    error = error_for(layer, x)
    _, frozen_dx, *_ = gradients(layer, x, error)
    layer.trainable = True
    _, dx, *_ = gradients(layer, x, error)
    np.testing.assert_array_equal(frozen_dx, dx)


@each_layer
@each_rule
def test_config_and_clone(layer_name, rule):
    layer = make(layer_name, rule)
    config = json.loads(json.dumps(layer.get_config()))
    again = type(layer).from_config(config)
    assert again.get_config() == layer.get_config()
    assert type(again.feedback) is type(layer.feedback)
    model = make_model(layer_name, rule)
    cloned = keras.models.clone_model(model)
    assert asymmetric_layer(cloned).feedback is not asymmetric_layer(model).feedback
    assert asymmetric_layer(cloned).get_config() == asymmetric_layer(model).get_config()
    cloned.set_weights(model.get_weights())
    x, _ = data(layer_name)
    np.testing.assert_array_equal(cloned(x), model(x))
    np.testing.assert_array_equal(
        asymmetric_layer(cloned).feedback_kernel,
        asymmetric_layer(model).feedback_kernel,
    )


@each_layer
@each_rule
def test_saved_and_loaded_in_mid_training_it_goes_on(layer_name, rule, tmp_path):
    x, y = data(layer_name)

    def train(model):
        for _ in range(3):
            model.train_on_batch(x, y)
            redraw_feedback(model)
        return [*model.get_weights(), asymmetric_layer(model).feedback_kernel]

    def compiled(model):
        model.compile(BatchManhattan(0.01), "mse", run_eagerly=True)
        return model

    model = compiled(make_model(layer_name, rule))
    train(model)
    v = asymmetric_layer(model).feedback_kernel
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(asymmetric_layer(loaded).feedback_kernel, v)
    other = make_model(layer_name, rule)
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(asymmetric_layer(other).feedback_kernel, v)
    assert_all_equal(train(loaded), train(model))


@each_layer
@each_rule
def test_fit_is_the_same_eagerly_in_graphs_and_under_xla(layer_name, rule):
    x, y = data(layer_name)
    results = []
    for mode in ({"run_eagerly": True}, {"jit_compile": False}, {"jit_compile": True}):
        keras.utils.set_random_seed(3)
        model = make_model(layer_name, rule)
        before = model.get_weights()[0]
        model.compile(keras.optimizers.SGD(0.1), "mse", **mode)
        model.fit(x, y, 1, verbose=0, shuffle=False, callbacks=[RedrawFeedback()])
        assert model.optimizer.iterations == len(x)
        assert np.any(model.get_weights()[0] != before)  # the error has come this far
        trained = [weight.numpy() for weight in model.trainable_weights]
        results.append([*trained, asymmetric_layer(model).feedback_kernel])
    assert_all_close(results[1], results[0])
    assert_all_close(results[2], results[0])


@each_layer
@each_rule
def test_w_is_read_before_or_after_its_update_never_meanwhile(layer_name, rule):
    # V is made of W. TensorFlow's optimizer has dropped the order of the two before,
    # and the update of W overtook its reading, once in a few hundred steps.
    model = make_model(layer_name, rule, name="watched")
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    x, y = data(layer_name)
    context.enable_run_metadata()
    try:
        model.fit(x, y, verbose=0, callbacks=[RedrawFeedback()])
        graphs = context.export_run_metadata().partition_graphs
    finally:
        context.disable_run_metadata()
    # Graphs of what ran before this test may be listed too.
    (graph,) = (
        graph for graph in graphs if any("watched" in node.name for node in graph.node)
    )
    sources = {
        node.name: {name.lstrip("^").split(":")[0] for name in node.input}
        for node in graph.node
    }

    @functools.cache
    def before(name):
        return sources[name].union(*map(before, sources[name]))

    updates = [node for node in graph.node if node.op.startswith("AssignSub")]
    assert len(updates) == len(model.trainable_variables)
    for update in updates:
        reads = [
            node.name
            for node in graph.node
            if node.op == "ReadVariableOp" and node.input[0] == update.input[0]
        ]
        assert reads
        for read in reads:
            assert read in before(update.name) or update.name in before(read)


@pytest.fixture(scope="module")
def exported(tmp_path_factory, run_python):
    """Outputs of exported models, read by a process that has none of our code."""
    folder = tmp_path_factory.mktemp("exported")
    expected = {}
    for layer_name in LAYERS:
        x, y = data(layer_name)
        inputs = keras.Input(CASES[layer_name][1])
        outputs = {
            rule: keras.layers.Flatten()(make(layer_name, rule)(inputs))
            for rule in RULES
        }
        model = keras.Model(inputs, outputs)
        model.compile("sgd", "mse", run_eagerly=True)
        model.train_on_batch(x, {rule: y for rule in RULES})
        model.export(folder / layer_name, verbose=False)
        np.save(folder / f"{layer_name}.npy", x)
        expected[layer_name] = model(x)
    # -I: neither PYTHONPATH nor the working directory is searched for packages.
    code = """if True:
        import sys, numpy, tensorflow
        for name in sys.argv[1:]:
            served = tensorflow.saved_model.load(name)
            outputs = served.serve(numpy.load(name + ".npy"))
            numpy.savez(name + ".npz", **{k: v.numpy() for k, v in outputs.items()})
        assert "keras_asymbp" not in sys.modules
    """
    run_python(code, "-I", arguments=list(LAYERS), cwd=folder)
    return {name: (expected[name], np.load(folder / f"{name}.npz")) for name in LAYERS}


@each_layer
@each_rule
def test_an_exported_model_needs_none_of_our_code(layer_name, rule, exported):
    expected, read = exported[layer_name]
    np.testing.assert_allclose(read[rule], expected[rule], rtol=1e-5, atol=1e-6)
