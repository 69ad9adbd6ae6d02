"""Training on JAX: its compiled steps write all state of rules.

The reference of a draw is its definition in `conftest.py`.
"""

import keras
import numpy as np
import pytest

from keras_asymbp import (
    AlignmentMonitor,
    AsymConv2D,
    AsymDense,
    BatchManhattan,
    BatchNormalization,
    BatchStatistics,
    MirrorFeedback,
    RedrawFeedback,
    asymmetrize,
    backend,
    direct_feedback,
    feedbacks,
    metrics,
    mirror_feedback,
    symmetrize,
)

if keras.backend.backend() != "jax":
    pytest.skip("Keras's backend isn't JAX", allow_module_level=True)

import jax

SEED = 5
STEPS = 6
X = np.random.default_rng(0).normal(size=(2 * STEPS, 4)).astype("float32")
Y = np.random.default_rng(1).normal(size=(2 * STEPS, 2)).astype("float32")


def make_model(rule="brSF", **arguments):
    rule = feedbacks.get(rule)
    if isinstance(rule, feedbacks.RandomSignConcordant):
        rule = type(rule)(seed=SEED)
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(3, "tanh", name="hidden")
    model = keras.Sequential(
        [keras.Input((4,)), hidden, AsymDense(2, feedback=rule, name="asymmetric")]
    )
    model.compile(**{"optimizer": "sgd", "loss": "mse"} | arguments)
    return model


def fit(model, *callbacks, epochs=1, **arguments):
    return model.fit(
        X,
        Y,
        batch_size=2,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
        **arguments,
    ).history


def asymmetric(model):
    return model.get_layer("asymmetric")


def draws(model):
    return asymmetric(model).feedback.draws


@pytest.fixture
def assert_draw(draw_factor):
    """Asserts that V is M o sign(W) of a draw."""

    def assert_draw(model, number):
        layer = asymmetric(model)
        w = layer.kernel.numpy()
        expected = draw_factor(w.shape, SEED, number) * np.sign(w)
        np.testing.assert_array_equal(layer.feedback_kernel, expected)

    return assert_draw


@pytest.mark.parametrize(
    "arguments",
    [{"steps_per_execution": 1}, {"steps_per_execution": 3}, {"run_eagerly": True}],
    ids=str,
)
def test_one_draw_an_update(arguments, assert_draw):
    model = make_model(**arguments)
    fit(model, RedrawFeedback(), epochs=2)
    assert draws(model) == 2 * STEPS
    assert_draw(model, 2 * STEPS)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert draws(model) == 2 * STEPS


def test_accumulated_gradients_draw_once():
    optimizer = keras.optimizers.SGD(gradient_accumulation_steps=3)
    model = make_model(optimizer=optimizer)
    fit(model, RedrawFeedback())
    assert draws(model) == STEPS // 3


@pytest.mark.parametrize("steps_per_execution", [1, 3])
def test_without_the_callback_the_next_gradient_draws(steps_per_execution, assert_draw):
    model = make_model(steps_per_execution=steps_per_execution)
    fit(model)
    assert draws(model) == STEPS - 1  # the last update has had no gradient yet
    assert_draw(model, STEPS)
    with_callback = make_model()
    fit(with_callback, RedrawFeedback())
    np.testing.assert_allclose(
        model.layers[0].kernel, with_callback.layers[0].kernel, rtol=1e-6
    )


@keras.saving.register_keras_serializable("tests")
class WithoutTraining(keras.Model):
    """A model whose `call` has no argument `training`, so `fit` gives it none."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)


def test_a_model_that_is_not_told_of_training_draws_all_the_same(assert_draw):
    inner = make_model()
    model = WithoutTraining(inner)
    model.compile("sgd", "mse")
    fit(model)
    assert draws(inner) == STEPS - 1
    assert_draw(inner, STEPS)
    seen = draws(inner)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    inner(X)
    assert draws(inner) == seen


def test_a_model_that_is_recomputed_draws_as_others(assert_draw):
    with keras.RematScope(mode="full"):
        model = make_model()
    fit(model)
    assert draws(model) == STEPS - 1
    assert_draw(model, STEPS)
    seen = draws(model)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert draws(model) == seen


@pytest.mark.parametrize("compiled", [False, True])
def test_a_layer_of_its_own_draws_where_it_is_differentiated(compiled):
    layer = asymmetric(make_model())

    def loss(weights, state, x):
        outputs, state = layer.stateless_call(weights, state, x)
        return keras.ops.sum(outputs), state

    gradient = jax.grad(loss, has_aux=True)
    if compiled:
        gradient, loss = jax.jit(gradient), jax.jit(loss)
    weights = [variable.value for variable in layer.trainable_variables]
    state = [variable.value for variable in layer.non_trainable_variables]
    x = np.ones((1, 3), "float32")
    _, [same] = loss(weights, state, x)
    np.testing.assert_array_equal(same, state[0])
    _, [first] = gradient(weights, state, x)
    changed = [2 * each for each in weights]
    _, [second] = gradient(changed, [first], x)
    assert (np.asarray(first) != second).any()


def test_every_gradient_uses_its_own_draw(draw_factor):
    """By a loop in NumPy: W1 moves by X^T (e V^T)."""
    keras.utils.set_random_seed(0)
    rule = feedbacks.BatchwiseRandomSignConcordant(seed=SEED)
    hidden = keras.layers.Dense(3, use_bias=False)
    layer = AsymDense(1, use_bias=False, feedback=rule)
    model = keras.Sequential([keras.Input((1,)), hidden, layer])
    layer.kernel.assign([[1.0], [-1.0], [1.0]])
    # The mean absolute error's gradient: 1, for outputs above the target.
    model.compile(keras.optimizers.SGD(1e-3), "mae")
    before = hidden.kernel.numpy()
    x, y = np.ones((STEPS, 1)), np.full((STEPS, 1), -100.0)
    callbacks = [RedrawFeedback()]
    model.fit(x, y, 1, shuffle=False, verbose=0, callbacks=callbacks)
    signs = np.sign(layer.kernel)
    total = sum(signs * draw_factor((3, 1), SEED, draw) for draw in range(STEPS))
    np.testing.assert_allclose(before - hidden.kernel, 1e-3 * total.T, rtol=1e-4)


def test_saved_in_mid_training_the_sequence_goes_on(tmp_path):
    model = make_model(optimizer=BatchManhattan(0.01))
    fit(model, RedrawFeedback())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        fit(each, RedrawFeedback())
        assert draws(each) == 2 * STEPS
    for a, e in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, e)


@pytest.mark.parametrize("unroll", [False, True])
def test_rules_in_a_rolled_loop_learn_as_in_an_unrolled_one(unroll):
    class Cell(keras.layers.Layer):
        state_size = 3

        def build(self, shape):
            rule = feedbacks.BatchwiseRandomSignConcordant(seed=SEED)
            self.product = AsymDense(3, feedback=rule)
            self.product.build((None, 3 + shape[-1]))

        def call(self, inputs, states):
            inputs = keras.ops.concatenate([inputs, states[0]], axis=-1)
            outputs = keras.ops.tanh(self.product(inputs))
            return outputs, [outputs]

    def trained(unroll, *callbacks):
        keras.utils.set_random_seed(0)
        cell = Cell()
        rnn = keras.layers.RNN(cell, unroll=unroll)
        model = keras.Sequential([keras.Input((2, 2)), rnn, keras.layers.Dense(2)])
        model.compile("sgd", "mse")
        x = X.reshape((-1, 2, 2))
        model.fit(
            x, Y, batch_size=4, shuffle=False, verbose=0, callbacks=list(callbacks)
        )
        return cell.product.feedback.draws, model.get_weights()

    if unroll:  # the reference itself
        assert trained(True)[0] == len(X) // 4 - 1
        assert trained(True, RedrawFeedback())[0] == len(X) // 4
        return
    for callbacks in ([], [RedrawFeedback()]):
        (draws, actual), (expected_draws, expected) = (
            trained(each, *callbacks) for each in (False, True)
        )
        assert draws == expected_draws
        for a, e in zip(actual, expected, strict=True):
            np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-7)


def test_a_rule_signed_at_the_first_gradient_keeps_its_v():
    model = make_model("InitSignedRandom")
    layer = asymmetric(model)
    layer.kernel.assign(np.abs(layer.kernel.numpy()))
    fit(model)
    v = np.asarray(layer.feedback_kernel)
    assert (v > 0).all()
    layer.kernel.assign(-layer.kernel)
    fit(model)
    np.testing.assert_array_equal(layer.feedback_kernel, v)


def test_mirror_steps_after_each_update():
    model = make_model("WM")
    fit(model, MirrorFeedback(steps=10, steps_per_update=2), epochs=2)
    layer = asymmetric(model)
    assert layer.feedback.steps == 2 * (10 + 2 * STEPS)
    weights = layer.kernel.numpy(), model.layers[0].kernel.numpy()
    mirror_feedback(model, steps=300)
    assert metrics.angle(layer.kernel, layer.feedback_kernel) < 10
    np.testing.assert_array_equal(layer.kernel, weights[0])
    np.testing.assert_array_equal(model.layers[0].kernel, weights[1])


def test_a_mirror_phase_builds_the_model_for_its_inputs():
    layer = AsymDense(2, feedback="WM")
    mirror_feedback(keras.Sequential([layer]), X, steps=300)
    assert layer.feedback.steps == 300
    assert metrics.angle(layer.kernel, layer.feedback_kernel) < 10


def test_kolen_pollack_gives_v_the_updates_of_w():
    model = make_model("KP", optimizer=keras.optimizers.SGD(0.05, momentum=0.9))
    layer = asymmetric(model)
    difference = layer.kernel - layer.feedback_kernel
    fit(model, epochs=2)
    np.testing.assert_allclose(
        layer.kernel - layer.feedback_kernel, difference, atol=1e-6
    )
    assert layer.feedback.trainable_variables


def test_statistics_of_batches():
    norm = BatchNormalization()
    model = keras.Sequential([keras.Input((4,)), norm, AsymDense(2)])
    model.compile("sgd", "mse")
    statistics = BatchStatistics([X[:6], X[6:]])
    fit(model, statistics, validation_data=(X, Y))
    means, stddevs = (
        [function(part, axis=0) for part in (X[:6], X[6:])]
        for function in (np.mean, _std)
    )
    np.testing.assert_allclose(
        np.ravel(norm.moving_mean), 0.95 * means[0] + 0.05 * means[1], rtol=1e-4
    )
    np.testing.assert_allclose(
        np.ravel(norm.moving_stddev), 0.95 * stddevs[0] + 0.05 * stddevs[1], rtol=1e-4
    )
    assert norm.rate.value == np.float32(0.05)


def _std(values, axis):
    return np.sqrt(np.var(values, axis=axis) + 1e-5)


@pytest.mark.parametrize("rule", ["BP", "uSF", "brSF"])
def test_alignment_is_measured_and_changes_nothing(rule):
    models = [make_model(rule, metrics=["mae"]) for _ in range(2)]
    monitor = AlignmentMonitor(batches=[(X, Y)])
    history = fit(models[0], RedrawFeedback(), monitor, epochs=2)
    expected = fit(models[1], RedrawFeedback(), epochs=2)
    assert history["mae"] == expected["mae"]
    for a, e in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_array_equal(a, e)
    assert history["asymmetric/sign_concordance"] == [1.0, 1.0]
    angles = history["asymmetric/angle"]
    layer = asymmetric(models[0])
    assert angles[-1] == metrics.angle(layer.kernel, layer.feedback_kernel)
    assert (max(angles) == 0) == (rule == "BP")


def test_direct_feedback_sends_the_error_by_its_matrix():
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(3, "tanh", name="hidden")
    last = keras.layers.Dense(2, name="last")
    twin = direct_feedback(keras.Sequential([keras.Input((4,)), hidden, last]))
    np.testing.assert_allclose(twin(X), last(hidden(X)), rtol=1e-5)
    twin.compile(keras.optimizers.SGD(1.0), "mse")
    y = np.asarray(twin(X))
    [b] = twin.get_layer("direct_feedback").get_weights()
    error = 2 * (y - Y) / y.size
    slope = 1 - np.tanh(X @ hidden.kernel.numpy()) ** 2
    twin.train_on_batch(X, Y)
    moved = hidden.kernel.numpy() - twin.get_layer("hidden").kernel.numpy()
    np.testing.assert_allclose(moved, X.T @ (error @ b * slope), rtol=1e-3, atol=1e-5)


def test_direct_feedback_of_an_empty_batch():
    layers = keras.layers.Dense(3), keras.layers.Dense(2)
    twin = direct_feedback(keras.Sequential([keras.Input((4,)), *layers]))
    kernels = [twin.layers[1].kernel]
    _, [found] = backend.gradients(lambda: twin(X[:0]), [], kernels)
    np.testing.assert_array_equal(found, np.zeros((4, 3)))


def test_conversion_keeps_outputs_and_trains():
    stock = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            keras.layers.Conv2D(3, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    twin = asymmetrize(stock, "brSF", print_fn=None)
    x = np.random.default_rng(2).normal(size=(4, 6, 6, 2)).astype("float32")
    np.testing.assert_array_equal(twin(x), stock(x))
    assert isinstance(twin.layers[0], AsymConv2D)
    twin.compile(BatchManhattan(1e-3), "mse")
    twin.fit(x, Y[:4], batch_size=2, verbose=0, callbacks=[RedrawFeedback()])
    assert twin.layers[0].feedback.draws == 2
    assert np.isfinite(stock(x)).all()  # the two share no memory
    np.testing.assert_array_equal(symmetrize(twin)(x), twin(x))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_draws_from_the_stored_w(policy, assert_draw):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = make_model()
        scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(), 2.0)
        plain = make_model(optimizer=scaled)
    finally:
        keras.config.set_dtype_policy(before)
    assert asymmetric(model).compute_dtype == policy.removeprefix("mixed_")
    history = fit(model, RedrawFeedback(), epochs=2)
    assert np.isfinite(history["loss"]).all()
    updates = int(model.optimizer.iterations)
    assert STEPS < updates <= 2 * STEPS  # without those that a scaled loss skips
    assert draws(model) == updates
    assert_draw(model, updates)
    # In a step the rule sees the same W as here, not a rounded one.
    asymmetric(plain).catch_up_feedback()
    fit(plain)
    assert draws(plain) == STEPS - 1
