"""The backend's functions on JAX, each against a definition of its own."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_asymbp import AsymDense, backend, random

if keras.backend.backend() != "jax":
    pytest.skip("Keras's backend isn't JAX", allow_module_level=True)

import jax
from jax.experimental import sparse

X = np.array([[1.0, 2.0], [3.0, -1.0]], "float32")
W = np.array([[0.5, -2.0, 0.0], [-0.25, 3.0, 1.0]], "float32")
V = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "float32")
ERROR = np.array([[1.0, 0.0, 2.0], [0.0, -1.0, 1.0]], "float32")


def test_vjp_is_the_gradient_for_an_error():
    found = backend.vjp(lambda x: x @ W, X, ERROR)
    np.testing.assert_allclose(found, ERROR @ W.T, rtol=1e-6)


def test_gradients_of_inputs_and_variables_change_no_state():
    w, count = keras.Variable(W), keras.Variable(0.0, trainable=False)

    def function(x):
        count.assign_add(1.0)
        return ops.matmul(x, w)

    y, [dx, dw] = backend.gradients(function, [X], [w], lambda y: ERROR)
    np.testing.assert_allclose(y, X @ W, rtol=1e-6)
    np.testing.assert_allclose(dx, ERROR @ W.T, rtol=1e-6)
    np.testing.assert_allclose(dw, X.T @ ERROR, rtol=1e-6)
    assert count.value == 0
    _, [dx] = backend.gradients(function, [X], [])
    np.testing.assert_allclose(dx, np.ones((2, 3)) @ W.T, rtol=1e-6)


def test_gradients_are_those_of_the_losses_of_layers():
    """Of all three kinds, also of a variable that has no gradient here."""

    class Sum(keras.layers.Layer):
        def call(self, inputs):
            self.add_loss(ops.sum(inputs))
            return inputs

    options = {"activity_regularizer": "l2", "bias_regularizer": "l2"}
    layer = keras.layers.Dense(3, bias_initializer="ones", **options)
    model = keras.Sequential([keras.Input((2,)), layer, Sum()])
    layer.kernel.assign(W)

    def loss():
        model(X)
        return sum(model.losses)

    value, [dw] = backend.gradients(loss, [], [layer.kernel])
    y = X @ W + 1
    assert value == pytest.approx(0.01 * (np.sum(y**2) / 2 + 3) + y.sum())
    np.testing.assert_allclose(dw, X.T @ (2 * 0.01 * y / 2 + 1), rtol=1e-5)


def test_a_backward_pass_of_its_own():
    def call(x, z):
        return backend.with_backward(
            lambda x, z: x * z, lambda _, error: (5 * error, None), [x, z]
        )

    y, [dx, dz] = backend.gradients(call, [X, X], [])
    np.testing.assert_array_equal(y, X * X)
    np.testing.assert_array_equal(dx, np.full(X.shape, 5.0))
    np.testing.assert_array_equal(dz, np.zeros(X.shape))


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit], ids=["eager", "jit"])
def test_the_error_travels_through_v(trained, wrap):
    def call(x, w, v):
        return backend.with_feedback(
            ops.matmul,
            x,
            w,
            lambda: v,
            of_inputs=lambda f, x, v, error: backend.vjp(lambda x: f(x, v), x, error),
            of_kernel=lambda f, x, w, error: backend.vjp(lambda w: f(x, w), w, error),
            commit=lambda: None,
            trained=trained,
        )

    y, found = wrap(
        lambda *tensors: backend.gradients(call, tensors, [], lambda y: ERROR)
    )(X, W, V)
    dw = X.T @ ERROR
    np.testing.assert_allclose(y, X @ W, rtol=1e-6)
    expected = [ERROR @ V.T, dw, dw if trained else np.zeros(W.shape)]
    for a, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-6)


def test_second_derivatives_go_through_v():
    layer = AsymDense(3, "tanh", feedback="uSF", use_bias=False)
    layer.build((None, 2))
    layer.kernel.assign(W)
    v = np.sign(W)

    def energy(x):  # its gradient by V, and that by V again
        return ops.sum(layer(x) ** 2) / 2

    def dx(x):
        return backend.gradients(energy, [x], [])[1][0]

    def expected(x):
        y = ops.tanh(x @ W)
        slope = y * (1 - y**2)
        return slope @ v.T

    np.testing.assert_allclose(dx(X), expected(X), rtol=1e-4)
    _, [actual] = backend.gradients(lambda x: ops.sum(dx(x)), [X], [])
    y = np.tanh(X @ W)
    curvature = (1 - y**2) * (1 - 3 * y**2)  # of y^2 / 2 in x @ W
    np.testing.assert_allclose(
        actual, (np.ones(X.shape) @ v * curvature) @ v.T, rtol=1e-4
    )


@pytest.mark.parametrize("rule", ["uSF", "brSF", "KP"])
@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit], ids=["eager", "jit"])
def test_sparse_inputs_have_the_gradient_of_their_places(rule, wrap):
    layer = AsymDense(3, feedback=rule)
    layer.build((None, 2))
    layer.kernel.assign(W)
    dense = np.array([[1.0, 0.0], [0.0, -1.0]], "float32")
    matrix = sparse.BCOO.fromdense(dense)

    def call(values):
        return layer(sparse.BCOO((values, matrix.indices), shape=matrix.shape))

    weights = [layer.kernel, layer.bias]
    error = lambda y: ERROR  # noqa: E731
    y, [dx, *dw] = wrap(
        lambda values: backend.gradients(call, [values], weights, error)
    )(matrix.data)
    y_dense, [dx_dense, *dw_dense] = backend.gradients(layer, [dense], weights, error)
    np.testing.assert_allclose(y, y_dense, rtol=1e-6)
    np.testing.assert_allclose(dx, np.asarray(dx_dense)[tuple(matrix.indices.T)])
    for a, e in zip(dw, dw_dense, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-6)


@pytest.mark.parametrize(
    ("seed", "number", "expected"),
    # Of `tf.random.stateless_uniform` of TensorFlow 2.21, alg="philox".
    [
        (0, 0, [1838336762, 3257684879, 2247534584, 3257596804, 978790695, 2676045173]),
        (5, 3, [2902126627, 883362706, 3733900122, 589447879, 3291170837, 2201715107]),
        (
            2**31 - 1,
            2**32 - 2,
            [130057995, 1250477192, 442359880, 3721556115, 2494160368, 1363892289],
        ),
    ],
)
def test_bits_are_tensorflow_s(seed, number, expected, draw_bits):
    words = np.uint32(seed), np.uint32(number)
    np.testing.assert_array_equal(draw_bits(6, seed, number), expected)
    np.testing.assert_array_equal(backend.random_bits((6,), *words), expected)
    compiled = jax.jit(lambda *words: backend.random_bits((2, 3), *words))
    np.testing.assert_array_equal(np.ravel(compiled(*words)), expected)


def test_many_bits_match_their_definition(draw_bits):
    words = draw_bits(1001, 1234, 56)
    actual = backend.random_bits((7, 11, 13), 1234, 56)
    np.testing.assert_array_equal(np.ravel(actual), words)
    halves = words.astype("<u4").view("<u2")
    actual = backend.random_halves((7, 11, 13), 1234, 56)
    np.testing.assert_array_equal(np.ravel(actual), halves[:1001])


def test_normals_are_tensorflow_s():
    expected = np.float32(
        # Of `tf.random.stateless_normal` of TensorFlow 2.21, alg="philox".
        [
            *(-1.0439926, -1.205408, -1.380559, -0.5185232, 1.733392),
            *(0.1279253, 1.6279062, 0.6512831, 0.9765518),
        ]
    )
    actual = np.asarray(random.normal((3, 3), 7, 1.0)).ravel()
    assert actual.dtype == "float32"
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_fingerprints_match_their_formula(dtype):
    values = ops.cast(np.random.default_rng(0).normal(size=(5, 7)), dtype)
    stored = np.asarray(values)
    words = stored.view(f"uint{8 * stored.itemsize}").ravel().tolist()
    total = sum(
        (x ^ (x >> 16)) * ((2 * i + 1) * 0x9E3779B1) for i, x in enumerate(words)
    )
    assert int(random.fingerprint(values)) == total % 2**32 // 2
    assert int(jax.jit(random.fingerprint)(values)) == total % 2**32 // 2


def test_a_compiled_call_writes_its_effects_and_is_traced_once():
    traces = []

    class Counter(keras.layers.Layer):
        def build(self, shape):
            self.count = self.add_weight(shape=(), initializer="zeros")
            self.other = self.add_weight(shape=(), initializer="zeros")

        def call(self, inputs, training=False):
            traces.append(training)
            self.count.assign(self.count + ops.sum(inputs))
            return inputs

    layer = Counter()
    layer.build(())
    call = backend.CompiledCall(layer, True, (), [layer.count])
    for expected in (3.0, 6.0):
        call.prepare(np.ones(3, "float32"))()
        assert layer.count.value == expected
    layer.count.assign(1.0)
    call.prepare(np.ones(3, "float32"))()
    assert layer.count.value == 4.0
    assert traces == [True]


def test_a_switch_reaches_compiled_functions_and_no_trace_keeps_it():
    switch = backend.Switch("switch")
    function = jax.jit(lambda: 1 if switch else 0)
    assert function() == 0
    with switch():
        assert function() == 1
    assert function() == 0


@pytest.mark.parametrize("compiled", [False, True])
def test_state_can_be_written_from_within_loops(compiled):
    w, state = keras.Variable(2.0), keras.Variable(0.0, trainable=False)

    def step(total, _):
        with backend.outside_loops([w, state]):
            state.assign(w + 1)
        return total * w, None

    def call(w_value, state_value):
        mapping = [(w, w_value), (state, state_value)]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            total, _ = jax.lax.scan(jax.checkpoint(step), 1.0, length=3)
        return total, scope.get_current_value(state)

    function = jax.value_and_grad(call, has_aux=True)
    if compiled:
        function = jax.jit(function)
    (total, noted), gradient = function(jax.numpy.float32(3.0), jax.numpy.float32(0.0))
    assert (total, noted, gradient) == (27.0, 4.0, 27.0)
    jax.lax.scan(step, 1.0, length=3)  # outside of any scope
    assert state.value == 3.0
