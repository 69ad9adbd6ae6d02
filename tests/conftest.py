"""Shared fixtures. TensorFlow reads the environment when it is imported."""

import os
import subprocess
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import hypothesis
import keras
import numpy as np
import pytest
import tensorflow as tf

# TensorFloat-32 products of a GPU are too coarse for the comparisons.
tf.config.experimental.enable_tensor_float_32_execution(False)

# Derandomized, so that failures in CI are reproducible.
hypothesis.settings.register_profile(
    "keras_asymbp", max_examples=15, deadline=None, derandomize=True, database=None
)
hypothesis.settings.load_profile("keras_asymbp")


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(0)


@pytest.fixture
def tfds_data_dir():
    """Folder with prepared TensorFlow Datasets."""
    folder = os.environ.get("KERAS_ASYMBP_TEST_DATA")
    if not folder:
        pytest.skip("KERAS_ASYMBP_TEST_DATA names no folder of prepared data sets")
    return folder


@pytest.fixture(scope="session")
def draw_factor():
    """Computes M o S_p by its definition, on which saved models rely."""

    def factor(shape, seed, draw=0, flip_probability=0):
        def uniform(stream):
            bits = tf.random.stateless_uniform(
                shape,
                tf.constant([seed + 2**32, 2 * draw + stream], tf.int64),
                minval=None,
                maxval=None,
                dtype=tf.uint32,
                alg="philox",
            )
            # float32 has 24 significant bits.
            return (bits.numpy() >> 8).astype("float32") / np.float32(2**24)

        return uniform(0) * np.where(uniform(1) < flip_probability, -1, 1)

    return factor


@pytest.fixture(scope="session")
def run_python():
    """Runs code in a new process; fails the test if the process fails."""

    def run(code, *flags, arguments=(), timeout=300, **options):
        path = {"PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, *flags, "-c", code, *arguments],
            env=os.environ | path,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            **options,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run


@pytest.fixture(scope="session")
def make_layer():
    """Makes an AsymDense with weights of both signs and a zero."""

    def make(feedback, kernel=None, **arguments):
        from keras_asymbp import AsymDense

        if kernel is None:
            kernel = [[0.5, -2.0, 0.0], [-0.25, 3.0, 1.0]]
        kernel = np.asarray(kernel)
        layer = AsymDense(kernel.shape[1], feedback=feedback, **arguments)
        layer.build((None, kernel.shape[0]))
        layer.kernel.assign(kernel)
        return layer

    return make


@pytest.fixture(scope="session")
def backward_kernel():
    """Returns V of an AsymDense's backward pass, which turns unit errors into V."""

    def used(layer):
        inputs, units = layer.kernel.shape
        x = tf.ones((units, inputs), layer.compute_dtype)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        return tf.transpose(tape.gradient(y, x, tf.eye(units, dtype=y.dtype))).numpy()

    return used


def _twin(layer, **changes):
    """Returns the stock Keras layer with a layer's configuration and weights."""
    config = layer.get_config() | changes
    del config["feedback"]
    twin = getattr(keras.layers, type(layer).__name__.removeprefix("Asym"))(**config)
    twin.build(layer.get_build_config()["input_shape"])
    for weight, value in zip(twin.weights, layer.trainable_weights, strict=True):
        weight.assign(value)
    return twin


@pytest.fixture(scope="session")
def twin():
    return _twin


@pytest.fixture(scope="session")
def gradients():
    """Returns a layer's Y for X, and dE/dX, dE/dW and dE/db for the error dE/dY."""

    def gradients(layer, x, error):
        x = tf.convert_to_tensor(x)
        weights = [layer.kernel] + ([layer.bias] if layer.bias is not None else [])
        values = [weight.value for weight in weights]
        with tf.GradientTape() as tape:
            tape.watch([x, *values])
            y = layer(x)
        return y, *tape.gradient(y, [x, *values], tf.cast(error, y.dtype))

    return gradients


@pytest.fixture(scope="session")
def stock_gradients(gradients):
    """Returns the expected `gradients` for a given V, by stock Keras layers only.

    One layer has W, the other V instead: the products' error reaches W and b through
    the first, X through the second.
    """

    def stock_gradients(layer, x, error, v):
        forward = _twin(layer, activation="linear")
        backward = _twin(layer, activation="linear")
        backward.kernel.assign(v)
        products = forward(x)
        with tf.GradientTape() as tape:
            tape.watch(products)
            y = layer.activation(products)
        error = tape.gradient(y, products, tf.cast(error, y.dtype))
        _, _, *weights = gradients(forward, x, error)
        _, dx, *_ = gradients(backward, x, error)
        return y, dx, *weights

    return stock_gradients
