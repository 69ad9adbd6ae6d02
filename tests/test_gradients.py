import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.gradients import asymmetric, sigmoid_targets, softmax_targets

SIZES = st.integers(1, 5)


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


@given(SIZES, SIZES, SIZES)
def test_a_matrix_product_follows_equations_1_and_2(batch, inputs, units):
    x, w, v = normal(batch, inputs), normal(inputs, units), normal(inputs, units) + 1
    error = normal(batch, units)
    tx, tw = tf.constant(x), tf.constant(w)
    with tf.GradientTape() as tape:
        tape.watch([tx, tw])
        y = asymmetric(tf.matmul, tx, tw, lambda: tf.constant(v))
    dx, dw = tape.gradient(y, [tx, tw], error)
    np.testing.assert_allclose(y, x @ w, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(dx, error @ v.T, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(dw, x.T @ error, rtol=1e-5, atol=1e-5)


def test_the_error_of_a_convolution_travels_through_v():
    def product(x, w):
        return tf.nn.conv2d(x, w, strides=2, padding="SAME", dilations=1)

    x, w = tf.constant(normal(2, 5, 4, 3)), tf.constant(normal(3, 2, 3, 4))
    v = tf.constant(normal(3, 2, 3, 4) + 1)
    with tf.GradientTape() as tape:
        tape.watch([x, w])
        y = asymmetric(product, x, w, lambda: v)
    error = tf.constant(normal(*y.shape))
    dx, dw = tape.gradient(y, [x, w], error)
    # The raw operations, which `asymmetric` doesn't call.
    expected_dx = tf.raw_ops.Conv2DBackpropInput(
        input_sizes=x.shape,
        filter=v,
        out_backprop=error,
        strides=[1, 2, 2, 1],
        padding="SAME",
    )
    expected_dw = tf.raw_ops.Conv2DBackpropFilter(
        input=x,
        filter_sizes=w.shape,
        out_backprop=error,
        strides=[1, 2, 2, 1],
        padding="SAME",
    )
    np.testing.assert_array_equal(y, product(x, w))
    np.testing.assert_allclose(dx, expected_dx, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(dw, expected_dw, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("graph", [False, True])
def test_second_order_goes_through_v(graph):
    # With E = |X W|^2 / 2 the first order is dE/dX = X W V^T. The sum of its elements,
    # weighted by C, has the error C V at X W. So W's gradient is X^T C V, and X's is
    # C V V^T, since this error travels back through V, too.
    x, w, v, c = normal(2, 3), normal(3, 4), normal(3, 4) + 1, normal(2, 3) - 1

    def second_order(x, w):
        with tf.GradientTape() as outer:
            outer.watch([x, w])
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = asymmetric(tf.matmul, x, w, lambda: tf.constant(v))
                energy = tf.reduce_sum(y**2) / 2
            first = inner.gradient(energy, x)
            loss = tf.reduce_sum(first * c)
        return first, *outer.gradient(loss, [x, w])

    run = tf.function(second_order) if graph else second_order
    first, dx, dw = run(tf.constant(x), tf.constant(w))
    np.testing.assert_allclose(first, x @ w @ v.T, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(dw, x.T @ (c @ v), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(dx, c @ v @ v.T, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("graph", [False, True])
def test_v_is_computed_in_the_backward_pass_only(graph):
    calls = tf.Variable(0)

    def feedback_kernel():
        calls.assign_add(1)
        return tf.ones((3, 4))

    x, w = tf.constant(normal(2, 3)), tf.constant(normal(3, 4))

    def forward():
        return asymmetric(tf.matmul, x, w, feedback_kernel)

    def backward():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = forward()
        return tape.gradient(y, x)

    if graph:
        forward, backward = tf.function(forward), tf.function(backward)
    forward()
    assert calls.numpy() == 0
    backward()
    assert calls.numpy() == 1


def test_the_kernel_may_be_a_variable():
    x, w = tf.constant(normal(2, 3)), tf.Variable(normal(3, 4))
    with tf.GradientTape() as tape:
        y = asymmetric(tf.matmul, x, w, lambda: tf.ones((3, 4)))
    np.testing.assert_allclose(tape.gradient(y, w), x.numpy().T @ np.ones((2, 4)))


def test_v_is_cast_to_the_precision_of_the_kernel():
    x, w = tf.ones((2, 3), tf.float16), tf.ones((3, 4), tf.float16)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = asymmetric(tf.matmul, x, w, lambda: tf.fill((3, 4), 2.0))
    dx = tape.gradient(y, x)
    assert dx.dtype == tf.float16
    np.testing.assert_array_equal(dx, np.full((2, 3), 8))


@pytest.fixture
def needed_by():
    """Returns the operations that a gradient of a traced layer needs, with itself.

    The layer's rule is the sign of a variable W.
    """

    def needed_by(of):
        w = tf.Variable(normal(3, 2))

        def v():
            with tf.name_scope("V"):
                return tf.sign(w)

        @tf.function
        def gradient(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = asymmetric(tf.matmul, x, w, v)
            return tape.gradient(y, {"x": x, "w": w}[of])

        traced = gradient.get_concrete_function(tf.TensorSpec((4, 3)))
        found, left = set(), [tensor.op for tensor in traced.graph.outputs]
        while left:
            operation = left.pop()
            if operation not in found:
                found.add(operation)
                left += [tensor.op for tensor in operation.inputs]
                # A function's results wait for its updates of variables.
                if operation.type != "Identity":
                    left += operation.control_inputs
        return [operation.name for operation in found]

    return needed_by


def test_a_graph_computes_v_only_for_the_error(needed_by):
    # The first layer's dE/dX is never used, and its V may be expensive.
    assert any(name.endswith("V/Sign") for name in needed_by("x"))
    assert not any(name.endswith("V/Sign") for name in needed_by("w"))


def test_in_a_graph_the_update_waits_for_the_reads_of_v(needed_by):
    # dE/dW = X^T dE/dY doesn't need W itself.
    assert any("V/" in name and "Read" in name for name in needed_by("w"))


@pytest.mark.parametrize("offset", [0, 12, 30])
def test_targets_are_found_in_errors_near_zero(offset):
    """An output that is almost its target has an error that is almost 0."""
    logits = np.array([[offset, 0.5, -1], [0.2, 0, offset], [1, offset, 2]], "float32")
    target, scale = np.eye(3)[[0, 2, 1]], np.array([[0.125], [0], [8]])
    exact = logits.astype("float64")
    p = np.exp(exact) / np.exp(exact).sum(-1, keepdims=True)
    actual = softmax_targets(logits, (scale * (p - target)).astype("float32"))
    np.testing.assert_allclose(actual, scale * target, rtol=1e-5)


def test_independent_targets_are_found():
    logits = np.random.default_rng(1).normal(size=(4, 3)).astype("float32")
    target = np.array([[0, 0, 0], [1, 0, 1], [1, 1, 1], [0, 1, 0]])
    scale = np.array([[2], [0.5], [0.25], [1]])
    error = scale * (1 / (1 + np.exp(-logits)) - target)
    actual = sigmoid_targets(logits, error.astype("float32"))
    np.testing.assert_allclose(actual, scale * target, rtol=1e-5)
