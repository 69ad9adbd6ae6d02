"""Functions and switches: no trace keeps or misses a switch."""

import gc
import weakref

import keras
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("Keras's backend isn't TensorFlow", allow_module_level=True)

import numpy as np
import tensorflow as tf

from keras_asymbp import AsymDense, backend
from keras_asymbp._switch import Switch
from keras_asymbp.backend import SwitchInFunction, inlined
from keras_asymbp.backend.tensorflow import _function_in_trace


def test_branches_and_loops_belong_to_their_function():
    assert _function_in_trace() == "eager"
    seen = []

    def note(*_):
        seen.append(_function_in_trace())
        return tf.constant(0)

    @tf.function
    def function():
        note()
        tf.cond(tf.constant(True), note, note)
        tf.while_loop(lambda i: i < 1, lambda i: i + 1 + note(), [tf.constant(0)])

    function()
    assert len(seen) >= 4
    assert len(set(map(id, seen))) == 1
    assert seen[0] != "eager"


def test_a_switch_in_a_function_is_off_in_the_functions_that_it_calls():
    switch = SwitchInFunction("switch")
    assert not switch
    seen = {}

    @tf.function
    def inner():
        seen["inner"] = bool(switch)

    @tf.function
    def outer():
        with switch():
            seen["outer"] = bool(switch)
            inner()

    outer()
    with switch():
        seen["eager"] = bool(switch)
    assert seen == {"outer": True, "inner": False, "eager": True}
    assert not switch


def test_inlined_functions_see_a_switch_and_keep_none():
    switch, seen = Switch("switch"), []

    @tf.function
    def function():
        seen.append(bool(switch))

    function()
    with inlined():
        with switch():
            function()
        function()
    function()  # has its trace
    assert seen == [False, True, False]
    assert not tf.config.functions_run_eagerly()


def test_inlining_keeps_the_user_s_setting():
    tf.config.run_functions_eagerly(True)
    try:
        with inlined():
            pass
        assert tf.config.functions_run_eagerly()
    finally:
        tf.config.run_functions_eagerly(False)


def test_random_numbers_are_those_of_tensorflow():
    seed = tf.constant([7 + 2**32, 3], tf.int64)
    bits = tf.random.stateless_uniform(
        (5, 6), seed, minval=None, maxval=None, dtype=tf.uint32, alg="philox"
    )
    np.testing.assert_array_equal(backend.random_bits((5, 6), 7, 3), bits)
    halves = bits.numpy().astype("<u4").view("<u2")
    for shape in ((5, 12), (3, 5)):
        actual = backend.random_halves(shape, 7, 3).numpy()
        np.testing.assert_array_equal(np.ravel(actual), halves.flat[: actual.size])


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_a_stateless_call_uses_the_v_of_its_weights(compiled, dtype):
    layer = AsymDense(3, use_bias=False, feedback="uSF", dtype=dtype)
    model = keras.Sequential([keras.Input((4,)), layer])
    kernel = np.array([[1e-9, -2, 3], [-4, 5, 0], [7, 8, -9], [-1, -1, 1]], "float32")
    layer.kernel.assign(-kernel)

    def error_of_inputs(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs, _ = model.stateless_call([kernel], [], x, training=True)
        return tape.gradient(outputs, x)

    run = tf.function(error_of_inputs) if compiled else error_of_inputs
    dx = run(tf.ones((2, 4)))
    np.testing.assert_array_equal(dx, np.ones((2, 3)) @ np.sign(kernel).T)


def test_a_stateless_call_for_training_returns_the_state_of_rules():
    layer = AsymDense(3, use_bias=False, feedback="brSF")
    model = keras.Sequential([keras.Input((4,)), layer])
    before = [tf.identity(each) for each in model.non_trainable_variables]
    weights, x = [layer.kernel.value], tf.ones((2, 4))

    def gradient_and_state(weights, state, training=True):
        with tf.GradientTape() as tape:
            tape.watch([x, *weights])
            outputs, state = model.stateless_call(weights, state, x, training=training)
        return tape.gradient(outputs, x), state

    first, state = gradient_and_state(weights, before)
    changed = [1.5 * weights[0]]
    second, state = gradient_and_state(changed, state)
    again, same = gradient_and_state(changed, state)
    _, untouched = gradient_and_state(weights, state, training=False)
    # Without a redraw, the first gradient after a change of W draws.
    assert np.all(np.asarray(first) != second)
    np.testing.assert_array_equal(second, again)
    np.testing.assert_array_equal(same, state)
    np.testing.assert_array_equal(untouched, state)
    np.testing.assert_array_equal(model.non_trainable_variables, before)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_layer_of_its_own_draws_where_it_is_differentiated(compiled):
    layer = AsymDense(3, use_bias=False, feedback="brSF")
    layer.build((None, 4))
    x, before = tf.ones((2, 4)), layer.feedback.variables[0].value

    def state_after(weights, state, differentiated=True):
        with tf.GradientTape() as tape:
            tape.watch([x, *weights] if differentiated else x)
            outputs, [state] = layer.stateless_call(weights, [state], x)
        tape.gradient(outputs, x)
        return state

    run = tf.function(state_after) if compiled else state_after
    weights = [tf.identity(layer.kernel.value)]
    first = run(weights, before)
    changed = [2 * each for each in weights]
    np.testing.assert_array_equal(run(changed, first, False), first)
    assert np.asarray(run(changed, first))[1] == np.asarray(first)[1] + 1


def test_a_stateless_call_in_a_loop():
    layer = AsymDense(4, use_bias=False, feedback="uSF")
    layer.build((None, 4))
    kernel = np.linspace(-1, 2, 16, dtype="float32").reshape(4, 4)

    def last(x):
        def step(i, x):
            with keras.StatelessScope(state_mapping=[(layer.kernel, kernel * 0.1)]):
                return i + 1, layer(x)

        return tf.while_loop(lambda i, x: i < 2, step, [tf.constant(0), x])[1]

    @tf.function
    def error_of_inputs(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = last(x)
        return tape.gradient(outputs, x)

    v = np.sign(kernel)
    np.testing.assert_allclose(
        error_of_inputs(tf.ones((2, 4))), np.ones((2, 4)) @ v.T @ v.T
    )


class Vectorized(keras.layers.Wrapper):
    """As Keras's `TimeDistributed` calls its layer for an unknown number of steps."""

    def call(self, inputs, training=None):
        return keras.ops.vectorized_map(
            lambda step: self.layer(step, training=training), inputs
        )


@pytest.mark.parametrize("rule", ["uSF", "brSF", "InitSignedRandom", "KP", "PAL"])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_vectorized_layers_learn_as_others(rule, dtype):
    def trained(wrap):
        keras.utils.set_random_seed(0)
        layers = [AsymDense(n, feedback=rule, dtype=dtype) for n in (3, 2)]
        model = keras.Sequential([keras.Input((2, 4)), *map(wrap, layers)])
        optimizer = keras.optimizers.SGD(0.01)
        optimizer.build(model.trainable_variables)

        @tf.function
        def update(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                outputs = model(x, training=True)
                loss = tf.reduce_sum(tf.cast(outputs, "float32") ** 2)
            dx, *gradients = tape.gradient(loss, [x, *model.trainable_variables])
            optimizer.apply(gradients)
            return dx

        x = np.random.default_rng(0).normal(size=(3, 5, 2, 4)).astype("float32")
        errors = [update(tf.constant(each)) for each in x]
        state = model.get_weights()
        model(1 + x[0])  # without training, no change of state
        return [*errors, *state, *model.get_weights()]

    close = {"rtol": 1e-4, "atol": 1e-5} if dtype == "float32" else {"atol": 0.05}
    vectorized, others = trained(Vectorized), trained(lambda layer: layer)
    for actual, expected in zip(vectorized, others, strict=True):
        if actual.dtype == "int32" and actual.ndim:
            # A rule's seed and draw: the fingerprint changes with any bit of W.
            actual, expected = actual[:2], expected[:2]
        np.testing.assert_allclose(actual, expected, **close)


def test_no_derivative_forward():
    layer = AsymDense(3, feedback="uSF")
    layer.build((None, 4))
    x = tf.ones((2, 4))
    expected = pytest.raises(NotImplementedError, match="has a backward pass, and no")
    with tf.autodiff.ForwardAccumulator(x, x), expected:
        layer(x)


@pytest.mark.parametrize("rule", ["uSF", "brSF", "InitSignedRandom", "KP", "PAL"])
@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_a_jacobian_is_v_and_changes_no_state(rule, wrap):
    layer = AsymDense(3, use_bias=False, feedback=rule)
    layer.build((None, 4))

    @wrap
    def jacobian(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x)
        return tape.batch_jacobian(outputs, x)

    state = layer.get_weights()
    found = jacobian(tf.ones((2, 4)))
    v = keras.ops.convert_to_numpy(layer.feedback_kernel)
    np.testing.assert_allclose(found, [v.T, v.T], rtol=1e-6)
    for value, before in zip(layer.get_weights(), state, strict=True):
        np.testing.assert_array_equal(value, before)


def test_gradients_within_a_vectorized_map():
    layer = AsymDense(3, use_bias=False, feedback="uSF")
    layer.build((None, 4))

    def error_of_inputs(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x[None])
        return tape.gradient(outputs, x)

    expected = np.ones((5, 3)) @ np.sign(layer.kernel).T
    x = tf.random.normal((5, 4))
    np.testing.assert_array_equal(tf.vectorized_map(error_of_inputs, x), expected)


@pytest.mark.parametrize("rule", ["uSF", "brSF", "KP"])
@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
def test_integers_are_numbers_as_for_a_dense_layer(rule, dtype):
    x = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    layer, stock = AsymDense(2, feedback=rule), keras.layers.Dense(2)
    layer.build(x.shape)
    stock.build(x.shape)
    stock.set_weights([layer.kernel, layer.bias])
    found = []
    for each in (layer, stock):
        weights = [each.kernel, each.bias]
        outputs, gradients = backend.gradients(
            lambda each=each: tf.reduce_sum(each(x) ** 2), [], weights
        )
        found.append([outputs, *gradients])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_function_that_is_dropped_is_freed_before_its_layer():
    layer = AsymDense(2, feedback="brSF")
    x = tf.ones((2, 3))

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x)
        return tape.gradient(outputs, x)

    step(x)
    graph = weakref.ref(step.get_concrete_function(x).graph)
    del step
    gc.collect()
    assert graph() is None


def test_a_trained_model_is_freed_as_one_of_stock_layers_is():
    """TensorFlow keeps what `tf.custom_gradient` refers to until the process ends."""
    layers = [AsymDense(4, feedback=rule) for rule in ("uSF", "brSF", "KP")]
    steps = keras.layers.SimpleRNN(2)  # a loop, whose gradient has names, too
    model = keras.Sequential(
        [keras.Input((5, 3)), *layers, steps, AsymDense(4, feedback="frSF")]
    )
    model.compile("sgd", "mse")
    model.fit(np.ones((2, 5, 3)), np.ones((2, 4)), verbose=0)
    model.predict(np.ones((2, 5, 3)), verbose=0)
    freed = [weakref.ref(each) for each in (model, *model.layers, *model.weights)]
    del layers, steps, model
    gc.collect()
    assert {each() for each in freed} == {None}
