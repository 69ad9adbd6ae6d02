"""TensorFlow and JAX compute the same: the second runs in a process of its own.

The functions without `test_` in their names run on either backend.
"""

import pathlib

import keras
import numpy as np
import pytest

import keras_asymbp
from keras_asymbp import AsymConv2D, AsymDense, BatchNormalization, RedrawFeedback

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="compares TensorFlow, in this process, with JAX in another",
)

HERE = pathlib.Path(__file__).parent
RULES = ["uSF", "NuSF", "brSF", "frSF", "RndF", "KP"]


@pytest.fixture
def on_jax(run_python):
    """Calls a function of this file, by its name, in a process on JAX."""

    def on_jax(name, *arguments, before=""):
        return run_python(
            "import os, sys\n"
            "os.environ['KERAS_BACKEND'] = 'jax'\n"
            f"sys.path.insert(0, {str(HERE)!r})\n{before}\n"
            "import test_backends\n"
            f"test_backends.{name}(*{[str(each) for each in arguments]!r})\n"
        )

    return on_jax


def data(number=40):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(number, 6, 6, 2)).astype("float32")
    return x, np.eye(3, dtype="float32")[rng.integers(3, size=number)]


def make_model(kind, rules=RULES):
    """Makes a model with a network for each rule, independent of the others.

    So all of them are compiled at once, and each has its loss.
    """
    keras.utils.set_random_seed(5)
    inputs = keras.Input((6, 6, 2))
    flat = keras.layers.Flatten()(inputs)
    outputs = {}
    for rule in rules:
        # Behind a bias its gradient would be 0, and Batch Manhattan takes the sign.
        options = {"feedback": rule, "name": f"first_{rule}", "use_bias": False}
        if kind == "dense":
            x = AsymDense(8, **options)(flat)
        else:
            x = AsymConv2D(3, 3, strides=2, **options)(inputs)
        x = BatchNormalization(learnable=kind == "dense")(x)
        x = keras.layers.Activation("tanh")(x)
        x = keras.layers.Flatten()(x)
        x = AsymDense(3, feedback=rule, name=f"second_{rule}")(x)
        outputs[rule] = keras.layers.Softmax(name=rule)(x)
    model = keras.Model(inputs, outputs)
    # Keras's initializers draw other numbers on each backend.
    rng = np.random.default_rng(1)
    for variable in model.trainable_variables:
        if "kernel" in variable.path and "feedback" not in variable.path:
            variable.assign(0.4 * rng.normal(size=variable.shape))
    optimizer = (
        keras.optimizers.SGD(0.05, momentum=0.9)
        if kind == "dense"
        else keras_asymbp.BatchManhattan(1e-3, momentum=0.9)
    )
    model.compile(optimizer, dict.fromkeys(rules, "categorical_crossentropy"))
    return model


class Losses(keras.callbacks.Callback):
    """Keeps the loss of each network after each update."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def on_train_batch_end(self, batch, logs=None):
        self.rows.append([logs[f"{name}_loss"] for name in self.model.output_names])


def train(model, epochs=3):
    """Trains for 10 updates in an epoch, and returns the losses after each."""
    x, y = data()
    losses = Losses()
    model.fit(
        *(x, dict.fromkeys(model.output_names, y)),
        **{"batch_size": 4, "epochs": epochs, "shuffle": False, "verbose": 0},
        callbacks=[RedrawFeedback(), losses],
    )
    return np.array(losses.rows)


def feedback_kernels(model, rule):
    layers = model.get_layer(f"first_{rule}"), model.get_layer(f"second_{rule}")
    return [keras.ops.convert_to_numpy(layer.feedback_kernel) for layer in layers]


def draws(model, rule="brSF"):
    return model.get_layer(f"second_{rule}").feedback.draws


def losses_and_feedback(kind):
    """Returns the losses of 30 updates, and V of RndF and, at the end, of frSF."""
    model = make_model(kind)
    random = feedback_kernels(model, "RndF")
    losses = train(model)
    assert draws(model) == 30
    return [losses, *random, *feedback_kernels(model, "frSF")]


def write_losses_and_feedback(kind, path):
    np.savez(path, *losses_and_feedback(kind))


@pytest.mark.parametrize(
    "kind", ["conv", pytest.param("dense", marks=pytest.mark.slow)]
)
def test_training_is_the_same(kind, on_jax, tmp_path):
    # Keras would import TensorFlow to seed its generator.
    hidden = "sys.modules['tensorflow'] = None"
    on_jax("write_losses_and_feedback", kind, tmp_path / "jax.npz", before=hidden)
    with np.load(tmp_path / "jax.npz") as file:
        losses, *kernels = file.values()
    expected, *expected_kernels = losses_and_feedback(kind)
    assert losses.shape == (30, len(RULES))
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-5)
    for v, other in zip(kernels, expected_kernels, strict=True):
        np.testing.assert_array_equal(v, other)


# From one backend to the other in the middle of training.


def go_on(saved, again, path):
    """Loads a model, trains on, saves it, and writes losses, draws and V of brSF."""
    model = keras.models.load_model(saved)
    assert draws(model) == 10
    losses = train(model, epochs=1)
    np.savez(path, losses, draws(model), *feedback_kernels(model, "brSF"))
    model.save(again)


@pytest.mark.slow
def test_a_saved_model_goes_on_on_the_other_backend(on_jax, tmp_path):
    model = make_model("conv", ["brSF", "KP"])
    train(model, epochs=1)
    model.save(tmp_path / "saved.keras")
    expected = train(model, epochs=1)

    paths = tmp_path / "saved.keras", tmp_path / "again.keras", tmp_path / "jax.npz"
    on_jax("go_on", *paths)
    with np.load(tmp_path / "jax.npz") as file:
        losses, count, *kernels = file.values()
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-5)
    assert count == draws(model) == 20
    for v, other in zip(kernels, feedback_kernels(model, "brSF"), strict=True):
        np.testing.assert_array_equal(v, other)

    back = keras.models.load_model(tmp_path / "again.keras")
    assert draws(back) == 20
    np.testing.assert_allclose(
        train(back, epochs=1), train(model, epochs=1), rtol=0, atol=1e-5
    )
    assert draws(back) == draws(model) == 30
    for v, other in zip(
        feedback_kernels(back, "brSF"), feedback_kernels(model, "brSF"), strict=True
    ):
        np.testing.assert_array_equal(v, other)


# Without TensorFlow.


def use_without_tensorflow(folder):
    x, y = data()
    model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Flatten()])
    model.add(AsymDense(8, feedback="brSF", activation="tanh", name="hidden"))
    model.add(BatchNormalization())
    model.add(AsymDense(3, feedback="WM", activation="softmax"))
    model.compile("batch_manhattan", "categorical_crossentropy")
    monitor = keras_asymbp.AlignmentMonitor()
    model.fit(
        *(x, y),
        **{"batch_size": 10, "epochs": 2, "verbose": 0},
        validation_data=(x, y),
        callbacks=[
            RedrawFeedback(),
            keras_asymbp.MirrorFeedback(steps=2),
            keras_asymbp.BatchStatistics([x[:10], x[10:20]]),
            monitor,
        ],
    )
    assert model.get_layer("hidden").feedback.draws == 8
    assert monitor.history["hidden/sign_concordance"] == [1.0, 1.0]
    model.save(f"{folder}/model.keras")
    loaded = keras.models.load_model(f"{folder}/model.keras")
    outputs = model.predict(x, verbose=0)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), outputs)
    loaded.fit(x, y, batch_size=10, callbacks=[RedrawFeedback()], verbose=0)
    assert loaded.get_layer("hidden").feedback.draws == 12

    stock = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "tanh")])
    stock.add(keras.layers.Dense(2))
    x, outputs = np.ones((4, 4)), stock(np.ones((4, 4)))
    for twin in (
        keras_asymbp.asymmetrize(stock, "frSF", print_fn=None),
        keras_asymbp.direct_feedback(stock),
    ):
        twin.compile("sgd", "mse")
        twin.fit(x, np.ones((4, 2)), verbose=0)
    np.testing.assert_array_equal(stock(x), outputs)
    with pytest.raises(ImportError, match="requires the tensorflow module"):
        model.export(f"{folder}/served")


def test_jax_needs_no_tensorflow(on_jax, tmp_path):
    on_jax(
        "use_without_tensorflow", tmp_path, before="sys.modules['tensorflow'] = None"
    )


# Exported by JAX.


def export(folder):
    inputs = keras.Input((None, 4))
    x = AsymDense(5, feedback="brSF", activation="tanh")(inputs)
    # JAX can't unroll a loop over an unknown number of steps.
    x = keras.layers.LSTM(3)(x)
    model = keras.Model(inputs, AsymDense(2, feedback="RndF")(x))
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(6, 5, 4)).astype("float32")
    model.fit(x, np.ones((6, 2)), verbose=0, callbacks=[RedrawFeedback()])
    model.export(f"{folder}/served", verbose=False)
    np.savez(f"{folder}/served.npz", x, model.predict(x, verbose=0))
    for variable in model.get_layer(index=-1).feedback.variables:
        assert any(variable is each for each in model.variables)


@pytest.mark.slow
def test_jax_exports_models_without_feedback(on_jax, tmp_path):
    import tensorflow as tf

    on_jax("export", tmp_path)
    with np.load(tmp_path / "served.npz") as file:
        x, y = file.values()
    served = tf.saved_model.load(tmp_path / "served")
    np.testing.assert_allclose(served.serve(x), y, rtol=1e-5, atol=1e-6)
    # The last is the state of the LSTM's generator for dropout.
    weights = [(4, 5), (5,), (5, 12), (3, 12), (12,), (3, 2), (2,), (2,)]
    shapes = [tuple(variable.shape) for variable in served.variables]
    assert sorted(shapes) == sorted(weights)


# Switches and functions that JAX has traced before.


def use_switches():
    import jax

    from keras_asymbp._switch import Switch, backpropagation

    layer = AsymDense(3, feedback="RndF")
    layer.build((None, 4))
    w, v = layer.kernel.numpy(), np.asarray(layer.feedback_kernel)
    values = [each.value for each in layer.trainable_variables]
    fixed = [each.value for each in layer.non_trainable_variables]

    @jax.jit
    def error_sent_back(x):
        call = lambda x: layer.stateless_call(values, fixed, x)[0]  # noqa: E731
        outputs, pull_back = jax.vjp(call, x)
        return pull_back(jax.numpy.ones_like(outputs))[0]

    x = np.ones((1, 4), "float32")
    for _ in range(2):
        np.testing.assert_allclose(error_sent_back(x)[0], v.sum(1), rtol=1e-5)
        with backpropagation():
            np.testing.assert_allclose(error_sent_back(x)[0], w.sum(1), rtol=1e-5)

    import test_switch

    for name, test in vars(test_switch).items():
        if name.startswith("test_"):
            test()
    assert not Switch("another")


@pytest.mark.slow
def test_a_switch_reaches_functions_that_jax_has_traced(on_jax):
    on_jax("use_switches")


# Several devices, and layers that are computed twice.


def use_two_devices():
    import jax

    assert len(jax.devices()) == 2
    distribution = keras.distribution.DataParallel()

    def losses():
        model = make_model("dense", ["brSF", "uSF"])
        found = train(model, epochs=1)
        assert draws(model) == 10
        return found, feedback_kernels(model, "brSF")

    expected, expected_kernels = losses()
    keras.distribution.set_distribution(distribution)
    actual, kernels = losses()
    keras.distribution.set_distribution(None)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)
    for v, other in zip(kernels, expected_kernels, strict=True):
        np.testing.assert_array_equal(v, other)

    inputs = keras.Input((4,))
    with keras.RematScope(mode="full"):
        outputs = AsymDense(2, feedback="frSF")(AsymDense(3, feedback="brSF")(inputs))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    x, y = np.ones((8, 4)), np.ones((8, 2))
    model.fit(x, y, batch_size=2, callbacks=[RedrawFeedback()], verbose=0)
    assert model.layers[1].feedback.draws == 4


@pytest.mark.slow
def test_jax_trains_on_several_devices_and_recomputes(on_jax):
    option = "--xla_force_host_platform_device_count=2"
    on_jax("use_two_devices", before=f"os.environ['XLA_FLAGS'] = {option!r}")
