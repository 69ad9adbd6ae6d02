"""Errors have the sums that biases get as gradients, and those of NumPy's formulas."""

import keras
import numpy as np
import pytest

from keras_asymbp import (
    AsymConv2D,
    AsymDense,
    AsymDepthwiseConv2D,
    AsymMultiHeadAttention,
    AsymSeparableConv2D,
    direct_feedback,
)
from keras_asymbp._kernels import layers_with_kernels, stock_layers
from keras_asymbp.diagnostics.errors import backward, preactivations


def errors_of(model, batches, kernels=()):
    """Returns the errors of all layers with kernels, by name, and other gradients."""
    parts = layers_with_kernels(model, stock_layers())
    layers = [part.layer for part in parts]
    passes = []
    for batch in batches:
        calls, context = preactivations(model, layers, batch)
        passes.append(backward(model, layers, list(kernels), batch, calls, context))
    errors, gradients = zip(*passes, strict=True)
    names = [part.name for part in parts]
    errors = map(np.concatenate, zip(*errors, strict=True))
    gradients = map(sum, zip(*gradients, strict=True))
    return dict(zip(names, errors, strict=True)), list(gradients)


def every_kind_of_layer():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 2))
    x = AsymConv2D(4, 3, padding="same", activation="relu", name="conv")(inputs)
    x = AsymDepthwiseConv2D(2, depth_multiplier=2, feedback="RndF", name="depth")(x)
    x = AsymSeparableConv2D(3, 2, activation="tanh", name="separable")(x)
    x = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(x))
    x = keras.layers.Reshape((16, 3))(x)
    x = x + AsymMultiHeadAttention(2, 3, feedback="frSF", name="attention")(x, x)
    shared = AsymDense(3, activation="tanh", feedback="brSF", name="shared")
    block = keras.Sequential([keras.Input((16, 3)), shared], name="block")
    x = keras.layers.Flatten()(block(block(x)))
    model = keras.Model(inputs, keras.layers.Dense(4, "softmax", name="stock")(x))
    model.compile("sgd", "categorical_crossentropy")
    generator = np.random.default_rng(0)
    x = generator.normal(size=(8, 6, 6, 2)).astype("float32")
    return model, [(x[:5], np.eye(4)[[0, 1, 2, 3, 0]]), (x[5:], np.eye(4)[:3])]


@pytest.mark.skipif(
    keras.backend.backend() == "jax",
    reason="JAX compiles each operation of this model for a minute.",
)
def test_the_sum_of_errors_is_the_gradient_of_the_bias():
    model, batches = every_kind_of_layer()
    biases = {
        part.name: part.layer.bias
        for part in layers_with_kernels(model, stock_layers())
    }
    errors, gradients = errors_of(model, batches, biases.values())
    assert list(errors) == [
        "conv",
        "depth",
        "separable",
        *(f"attention/{name}" for name in ("query", "key", "value")),
        "attention/attention_output",
        "block/shared",
        "stock",
    ]
    rows = {
        "conv": 36,
        "depth": 25,
        "separable": 16,
        "block/shared": 2 * 16,
        "stock": 1,
    }
    for name, gradient in zip(errors, gradients, strict=True):
        assert len(errors[name]) == 8 * rows.get(name, 16)
        expected = gradient.ravel()
        # The bias of attention's keys has no effect.
        assert name == "attention/key" or np.any(np.abs(expected) > 1e-5)
        np.testing.assert_allclose(
            errors[name].sum(axis=0), expected, rtol=1e-4, atol=1e-6
        )


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="On JAX Keras's softmax keeps no logits."
)
def test_softmax_keeps_its_logits():
    # From clipped probabilities the error would be 0.
    logits = AsymDense(2, activation="softmax", use_bias=False, name="logits")
    model = keras.Sequential([keras.Input((2,)), logits])
    model.compile("sgd", "categorical_crossentropy")
    logits.kernel.assign([[200.0, 0.0], [0.0, 200.0]])
    x = np.eye(2, dtype="float32")
    errors, _ = errors_of(model, [(x, x[::-1])])
    np.testing.assert_allclose(errors["logits"], [[0.5, -0.5], [-0.5, 0.5]], rtol=1e-6)


def test_direct_feedback():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(5, "tanh", name="hidden") for _ in range(1)]
    layers += [keras.layers.Dense(4, "tanh", name="top")]
    layers += [keras.layers.Dense(2, "sigmoid", name="logits")]
    model = direct_feedback(keras.Sequential([keras.Input((3,)), *layers]))
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    t = np.zeros((6, 2), "float32")
    errors, _ = errors_of(model, [(x, t)])
    y = keras.ops.convert_to_numpy(model(x))
    e = 2 * (y - t) / t.size * y * (1 - y)
    np.testing.assert_allclose(errors["logits"], e, rtol=1e-4, atol=1e-9)
    matrices = model.get_layer("direct_feedback").weights
    for name, b in zip(("hidden", "top"), matrices, strict=True):
        layer = model.get_layer(name)
        h = keras.ops.convert_to_numpy(keras.Model(model.input, layer.output)(x))
        expected = e @ keras.ops.convert_to_numpy(b) * (1 - h**2)
        np.testing.assert_allclose(errors[name], expected, rtol=1e-3, atol=1e-9)


def test_layers_in_loops_have_an_error_for_each_step():
    cell = keras.layers.TimeDistributed(AsymDense(2, name="each"))
    model = keras.Sequential([keras.Input((3, 4)), cell])
    model.compile("sgd", "mse")
    x, y = np.ones((5, 3, 4), "float32"), np.zeros((5, 3, 2), "float32")
    errors, [gradient] = errors_of(model, [(x, y)], [cell.layer.bias])
    (error,) = errors.values()
    assert error.shape == (15, 2)
    np.testing.assert_allclose(error.sum(axis=0), gradient, rtol=1e-5)


def compiled(block):
    """A layer that calls another in a function that is compiled."""
    if keras.backend.backend() == "jax":
        import jax

        wrap = jax.jit
    else:
        import tensorflow as tf

        wrap = tf.function

    class Compiled(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.block = block
            self.function = wrap(lambda x: block(x))

        def call(self, x):
            return self.function(x)

    return Compiled()


@pytest.mark.parametrize("called_before", [False, True])
def test_compiled_parts(called_before):
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    found = []
    for wrap in (lambda block: block, compiled):
        keras.utils.set_random_seed(1)
        layers = [AsymDense(n, feedback="RndF", name=f"layer_{n}") for n in (5, 2)]
        block = keras.Sequential([keras.Input((3,)), *layers])
        model = keras.Sequential([keras.Input((3,)), wrap(block)])
        model.compile("sgd", "mse")
        if called_before:
            model(x)
        errors, _ = errors_of(model, [(x, np.ones((6, 2)))])
        found.append(list(errors.values()))
        model(x)  # No tap is left in the compiled function.
    for error, expected in zip(*found, strict=True):
        assert np.any(error)
        np.testing.assert_allclose(error, expected, rtol=1e-4, atol=1e-7)
