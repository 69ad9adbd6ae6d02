"""Gradients in the loops and branches of a graph, and through time."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import AsymDense, RedrawFeedback, feedbacks, redraw_feedback

UNITS, STEPS = 4, 3
# Rules whose V differs from that of another in its numbers alone.
FIXED = ["NuSF", "frSF-25", "RndF", "WM"]


def states_and_gradients(h, w, b, v):
    """h(t + 1) = tanh(h(t) W + b), and the gradients of the sum of h at the end.

    Backpropagation through time, in float64, with V where the error passes a product.
    """
    states = [h]
    for _ in range(STEPS):
        states.append(np.tanh(states[-1] @ w + b))
    error, dw, db = np.ones_like(h), np.zeros_like(w), np.zeros_like(b)
    for before, after in zip(states[-2::-1], states[:0:-1], strict=True):
        error = error * (1 - after**2)
        dw += before.T @ error
        db += error.sum(axis=0)
        error = error @ v.T
    return states[-1], error, dw, db


def loop(layer, x):
    def body(step, h):
        return step + 1, tf.tanh(layer(h))

    return tf.while_loop(lambda step, _: step < STEPS, body, (0, x))[1]


def scan(layer, x):
    return tf.scan(lambda h, _: tf.tanh(layer(h)), tf.range(STEPS), x)[-1]


def branch(layer, x):
    return tf.cond(tf.size(x) > 0, lambda: loop(layer, x), lambda: x)


def branch_in_a_loop(layer, x):
    def body(step, h):
        return step + 1, tf.cond(step < STEPS, lambda: tf.tanh(layer(h)), lambda: h)

    return tf.while_loop(lambda step, _: step < STEPS + 2, body, (0, x))[1]


def every_row(layer, x):
    return tf.map_fn(lambda row: loop(layer, row[tf.newaxis])[0], x)


@pytest.fixture
def make():
    def make(rule):
        layer = AsymDense(UNITS, feedback=rule)
        layer.build((None, UNITS))
        x = np.random.default_rng(0).normal(size=(5, UNITS)).astype("float32")
        return layer, tf.constant(x)

    return make


@pytest.mark.parametrize(
    "network",
    [loop, scan, branch, branch_in_a_loop, every_row],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize(
    "rule",
    [
        *("uSF", "brSF", "KP", "InitSignedRandom"),
        *(pytest.param(rule, marks=pytest.mark.slow) for rule in FIXED),
    ],
)
def test_backpropagation_through_time_and_v(rule, network, make):
    layer, x = make(rule)
    v = layer.feedback_kernel

    @tf.function
    def gradients():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = network(layer, x)
        return y, *tape.gradient(y, [x, layer.kernel.value, layer.bias.value])

    at = (np.asarray(each, "float64") for each in (x, layer.kernel, layer.bias, v))
    expected = states_and_gradients(*at)
    for actual, wanted in zip(gradients(), expected, strict=True):
        np.testing.assert_allclose(
            tf.convert_to_tensor(actual), wanted, rtol=1e-4, atol=1e-5
        )


@keras.saving.register_keras_serializable("test_control_flow")
class Cell(keras.layers.Layer):
    def __init__(self, feedback, **kwargs):
        super().__init__(**kwargs)
        self.state_size = self.output_size = UNITS
        self.inner = AsymDense(UNITS, feedback=feedback)

    def build(self, input_shape):
        self.inner.build((None, UNITS))

    def call(self, inputs, states):
        h = keras.ops.tanh(self.inner(states[0] + inputs))
        return h, [h]


def recurrent(rule, unroll, **options):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((STEPS, UNITS)), keras.layers.RNN(Cell(rule), unroll=unroll)]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse", **options)
    return model


@pytest.mark.parametrize("rule", ["uSF", "brSF", "KP"])
def test_a_rolled_recurrent_layer_learns_as_an_unrolled_one(rule):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(6, STEPS, UNITS)).astype("float32")
    y = generator.normal(size=(6, UNITS)).astype("float32")
    weights = []
    for unroll, eager in ((True, True), (True, False), (False, False)):
        model = recurrent(rule, unroll, run_eagerly=eager)
        model.fit(x, y, epochs=3, verbose=0, callbacks=[RedrawFeedback()])
        weights.append(model.get_weights())
    for others in weights[1:]:
        for ours, theirs in zip(weights[0], others, strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("callbacks", [True, False])
def test_a_redraw_for_each_update_in_a_loop(callbacks):
    model = recurrent("brSF", unroll=False)
    x, y = np.ones((8, STEPS, UNITS)), np.zeros((8, UNITS))
    model.fit(
        *(x, y),
        batch_size=2,
        verbose=0,
        callbacks=[RedrawFeedback()] if callbacks else [],
    )
    rule = model.layers[0].cell.inner.feedback
    # Without the callback the next gradient draws for the last update.
    assert rule.draws == (4 if callbacks else 3)
    for _ in range(2):
        model.evaluate(x, y, verbose=0)
        model.predict(x, verbose=0)
    assert rule.draws == (4 if callbacks else 3)


def test_a_loop_of_one_s_own_redraws():
    layer = AsymDense(UNITS, feedback="brSF")
    layer.build((None, UNITS))
    x = tf.ones((2, UNITS))

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            y = loop(layer, x)
        gradient = tape.gradient(y, layer.kernel.value)
        layer.kernel.assign_sub(0.1 * gradient)
        redraw_feedback(layer)

    for _ in range(3):
        step()
    assert layer.feedback.draws == 3


def test_a_rule_without_a_gradient_keeps_its_state():
    layer = AsymDense(UNITS, feedback=feedbacks.InitSignedRandom())
    layer.build((None, UNITS))
    before = [variable.numpy() for variable in layer.variables]
    tf.function(lambda x: loop(layer, x))(tf.ones((2, UNITS)))
    for variable, value in zip(layer.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
