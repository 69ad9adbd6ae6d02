import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tensorflow.python.eager import context

from keras_asymbp import AsymConv2D

CLOSE = {"rtol": 1e-4, "atol": 1e-4}


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def assert_gradients_are_stock(layer, x, gradients, stock_gradients):
    layer.build(x.shape)
    error = normal(*layer.compute_output_shape(x.shape))
    actual = gradients(layer, x, error)
    expected = stock_gradients(layer, x, error, v=layer.feedback_kernel)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, **CLOSE)


@given(
    size=st.tuples(st.integers(4, 6), st.integers(4, 6)),
    kernel_size=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.sampled_from(["valid", "same"]),
    dilation_rate=st.sampled_from([(1, 1), (2, 2), (1, 2)]),
    activation=st.sampled_from([None, "relu"]),
    use_bias=st.booleans(),
)
def test_gradients_are_those_of_conv2d_with_v(
    size, gradients, stock_gradients, **arguments
):
    # Keras refuses to combine them.
    assume(arguments["strides"] == (1, 1) or arguments["dilation_rate"] == (1, 1))
    x = normal(2, *size, 3)
    layer = AsymConv2D(4, feedback="frSF", **arguments)
    try:
        layer.build(x.shape)
    except ValueError:  # the dilated kernel is larger than the image
        assume(False)
    layer = AsymConv2D(4, feedback="frSF", **arguments)
    assert_gradients_are_stock(layer, x, gradients, stock_gradients)


@settings(max_examples=5)
@given(
    groups=st.sampled_from([2, 4]),
    strides=st.integers(1, 2),
    padding=st.sampled_from(["valid", "same"]),
)
def test_groups(gradients, stock_gradients, **arguments):
    layer = AsymConv2D(4, 3, feedback="frSF", **arguments)
    assert_gradients_are_stock(layer, normal(2, 5, 5, 4), gradients, stock_gradients)


@pytest.mark.parametrize(
    "arguments",
    [{"strides": 2, "padding": "same"}, {"dilation_rate": 2}, {"groups": 2}],
    ids=str,
)
def test_channels_first(arguments, twin, gradients, stock_gradients):
    layer = AsymConv2D(4, 3, data_format="channels_first", feedback="frSF", **arguments)
    x = normal(2, 4, 6, 6)
    layer.build(x.shape)
    error = normal(*layer.compute_output_shape(x.shape))
    try:
        gradients(twin(layer), x, error)
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as refusal:
        pytest.skip(f"Conv2D itself is unsupported here: {str(refusal)[:200]}")
    actual = gradients(layer, x, error)
    expected = stock_gradients(layer, x, error, v=layer.feedback_kernel)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, **CLOSE)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"strides": 2, "padding": "same"}, {"dilation_rate": 2}, {"use_bias": False}],
    ids=str,
)
def test_bp_is_conv2d_to_the_last_bit(arguments, gradients, twin):
    layer = AsymConv2D(4, 3, activation="relu", feedback="BP", **arguments)
    x = normal(2, 6, 6, 3)
    layer.build(x.shape)
    error = normal(*layer.compute_output_shape(x.shape))
    for actual, expected in zip(
        gradients(layer, x, error), gradients(twin(layer), x, error), strict=True
    ):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("feedback", ["BP", "uSF", "brSF"])
@pytest.mark.parametrize("layers", [1, 2])
def test_the_first_layer_s_input_gradient_is_not_computed(layers, feedback):
    stack = [
        AsymConv2D(2, 3, feedback=feedback, name=f"watched_{number}")
        for number in range(layers)
    ]

    @tf.function
    def train_step(x):
        with tf.GradientTape() as tape:
            y = x
            for layer in stack:
                y = layer(y)
            loss = tf.reduce_sum(y**2)
        return tape.gradient(loss, [layer.kernel.value for layer in stack])

    shape = (2, 6, 6, 1)
    for layer in stack:
        layer.build(shape)
        shape = layer.compute_output_shape(shape)
    context.enable_run_metadata()
    try:
        train_step(tf.ones((2, 6, 6, 1)))
        metadata = context.export_run_metadata()
    finally:
        context.disable_run_metadata()
    # The graph as executed, after TensorFlow's optimizations. Graphs of earlier tests
    # may be listed, too.
    (operations,) = (
        [node.op for node in graph.node]
        for graph in metadata.partition_graphs
        if any("watched" in node.name for node in graph.node)
    )

    def count(name):
        return sum(name in operation for operation in operations)

    assert count("Conv2DBackpropFilter") == layers
    assert count("Conv2DBackpropInput") == layers - 1
    # One forward convolution per layer: those inside the gradients are dropped.
    assert count("Conv2D") == 3 * layers - 1
