"""One draw per update, in every kind of training.

The model is a product of two matrices, X W1 W2, with an output error of 1: for an input
of 1, W1's step is -rate * V2^T, and the distance that W1 moves is the sum of every V2
that training used.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import (
    AsymDense,
    BatchManhattan,
    RedrawFeedback,
    feedbacks,
    redraw_feedback,
)

SEED = 5
RATE = 1e-3
UNITS = 6


def make_model(optimizer=None, seed=SEED, compiled=True, **arguments):
    rule = feedbacks.BatchwiseRandomSignConcordant(seed=seed)
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(UNITS, use_bias=False),
            AsymDense(1, use_bias=False, feedback=rule),
        ]
    )
    # Away from zero, so that no sign changes in a few steps.
    asymmetric(model).kernel.assign([[(-1.0) ** n] for n in range(UNITS)])
    if compiled:
        # The mean absolute error's gradient: 1, for outputs above the target.
        model.compile(optimizer or keras.optimizers.SGD(RATE), "mae", **arguments)
    return model


def fit(model, steps, callback=True, x=1.0, **arguments):
    model.fit(
        np.full((steps, 1), x),
        np.full((steps, 1), -100.0),
        batch_size=1,
        shuffle=False,
        verbose=0,
        callbacks=[RedrawFeedback()] if callback else None,
        **arguments,
    )


def first(model):
    return model.layers[0].kernel.numpy()


def asymmetric(model):
    return model.layers[-1]


def draws(model):
    """Returns the number of the draw that the next gradient uses."""
    layer = asymmetric(model)
    layer.catch_up_feedback()  # as the next gradient does
    return layer.feedback.draws


@pytest.fixture
def sum_of_v(draw_factor):
    """Returns the sum of V over draws, transposed, for a W2 with constant signs."""

    def sum_of_v(model, draws, seed=SEED):
        signs = np.sign(asymmetric(model).kernel)
        shape = signs.shape
        return sum(signs * draw_factor(shape, seed, draw) for draw in draws).T

    return sum_of_v


MODES = {
    "graph": {"jit_compile": False},
    "xla": {"jit_compile": True},
    "eager": {"run_eagerly": True},
    "5 steps an execution": {"jit_compile": False, "steps_per_execution": 5},
    "4 steps an execution": {"jit_compile": False, "steps_per_execution": 4},
    "xla, 5 steps an execution": {"jit_compile": True, "steps_per_execution": 5},
}


@pytest.mark.parametrize("callback", [True, False], ids=["callback", "no callback"])
@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_step_k_of_fit_uses_draw_k(mode, callback, sum_of_v):
    model = make_model(**mode)
    before = first(model)
    fit(model, 10, callback)
    moved = (before - first(model)) / RATE
    np.testing.assert_allclose(moved, sum_of_v(model, range(10)), rtol=1e-3, atol=1e-3)
    assert draws(model) == 10
    np.testing.assert_array_equal(
        asymmetric(model).feedback_kernel, sum_of_v(model, [10]).T
    )


def test_every_single_step(sum_of_v):
    model = make_model()
    for step in range(4):
        before = first(model)
        fit(model, 1)
        moved = (before - first(model)) / RATE
        np.testing.assert_allclose(moved, sum_of_v(model, [step]), rtol=1e-3, atol=1e-3)
        assert draws(model) == step + 1


@pytest.mark.parametrize(
    "callbacks", [(True, True), (True, False), (False, True)], ids=str
)
@pytest.mark.parametrize("mode", ["graph", "xla, 5 steps an execution"])
def test_fit_again(mode, callbacks, sum_of_v):
    model = make_model(**MODES[mode])
    before = first(model)
    for callback in callbacks:
        fit(model, 5, callback)
    moved = (before - first(model)) / RATE
    np.testing.assert_allclose(moved, sum_of_v(model, range(10)), rtol=1e-3, atol=1e-3)
    assert draws(model) == 10


def test_fit_takes_no_fingerprints_with_the_callback(monkeypatch):
    # The fingerprint of W takes a good part of a step.
    seen = []
    fingerprint = feedbacks.batchwise_random_sign_concordant.random.fingerprint
    monkeypatch.setattr(
        "keras_asymbp.random.fingerprint",
        lambda values: seen.append(tf.executing_eagerly()) or fingerprint(values),
    )
    fit(make_model(), 3)
    assert seen == [True]  # before the first step


def test_several_epochs_with_validation():
    model = make_model()
    validation = np.ones((4, 1)), np.ones((4, 1))
    fit(model, 3, epochs=3, validation_data=validation)
    assert draws(model) == 9


def test_a_layer_that_the_first_step_creates_draws_from_then_on(make_late_model):
    model = make_late_model("brSF", 1)
    x = np.ones((12, 3))
    model.fit(x, x[:, :1], 4, verbose=0, callbacks=[RedrawFeedback()])
    assert model.layer.feedback.draws == 3
    assert model.train_step.redraws_feedback


def test_two_callbacks_draw_once():
    model = make_model()
    x = np.ones((3, 1))
    model.fit(x, x, 1, verbose=0, callbacks=[RedrawFeedback(), RedrawFeedback()])
    assert draws(model) == 3


def test_a_recompiled_model_continues():
    model = make_model()
    fit(model, 3)
    model.compile(keras.optimizers.SGD(RATE), "mae")
    fit(model, 3)
    assert draws(model) == 6


@pytest.mark.parametrize("callback", [True, False], ids=["callback", "no callback"])
def test_train_on_batch(callback):
    model = make_model()
    if callback:
        fit(model, 1)
    for _ in range(3):
        model.train_on_batch(np.ones((1, 1)), np.full((1, 1), -1e3))
    assert draws(model) == 3 + callback


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("redrawn", [False, True])
def test_a_custom_loop(graph, redrawn, sum_of_v):
    model = make_model(compiled=False)
    optimizer = keras.optimizers.SGD(RATE)
    optimizer.build(model.trainable_variables)

    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x, training=True))
        variables = model.trainable_variables
        values = [variable.value for variable in variables]
        optimizer.apply(tape.gradient(loss, values), variables)
        if redrawn:
            redraw_feedback(model)

    run = tf.function(step) if graph else step
    before = first(model)
    for _ in range(6):
        run(tf.ones((1, 1)))
    moved = (before - first(model)) / RATE
    np.testing.assert_allclose(moved, sum_of_v(model, range(6)), rtol=1e-3, atol=1e-3)
    assert draws(model) == 6


@pytest.mark.parametrize(
    "updates", [2, np.int64(2), tf.constant(2), keras.Variable(2, dtype="int64")]
)
def test_several_updates(updates):
    model = make_model()
    redraw_feedback(model, updates)
    redraw_feedback(model, 0)
    assert draws(model) == 2


@pytest.mark.parametrize("updates", [-1, np.int64(-1), 1.5, "2", None])
def test_refuses_an_invalid_number_of_updates(updates):
    model = make_model()
    for redraw in (
        lambda: redraw_feedback(model, updates),
        lambda: asymmetric(model).redraw_feedback(updates),
    ):
        with pytest.raises(ValueError, match=r"`updates` must be.*Received: updates="):
            redraw()


@pytest.mark.parametrize("updates", [1.5, -1, [1], True], ids=str)
def test_refuses_a_tensor_that_is_no_number_of_updates(updates):
    model = make_model()
    with pytest.raises(ValueError, match=r"`updates` must be.*Received: updates="):
        redraw_feedback(model, keras.ops.convert_to_tensor(updates))
    if updates == -1:  # what is traced has no sign yet
        return
    with pytest.raises(ValueError, match=r"`updates` must be.*Received: updates="):
        tf.function(lambda n: redraw_feedback(model, n))(tf.constant(updates))


@pytest.mark.parametrize("callback", [True, False], ids=["callback", "no callback"])
def test_accumulated_gradients_are_one_update(callback, sum_of_v):
    optimizer = keras.optimizers.SGD(RATE, gradient_accumulation_steps=2)
    model = make_model(optimizer)
    before = first(model)
    fit(model, 10, callback)
    moved = (before - first(model)) / RATE
    np.testing.assert_allclose(moved, sum_of_v(model, range(5)), rtol=1e-3, atol=1e-3)
    assert draws(model) == 5


@pytest.mark.parametrize("callback", [True, False], ids=["callback", "no callback"])
def test_steps_that_loss_scaling_skips_draw_nothing(callback):
    # The scaled gradients overflow until the scale has been halved often enough.
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(RATE), initial_scale=2.0**126
    )
    model = make_model(optimizer)
    fit(model, 10, callback, x=32.0)
    updates = int(optimizer.iterations)
    assert 0 < updates < 10
    assert draws(model) == updates


def test_a_redraw_in_a_function_does_not_warn(caplog):
    """AutoGraph warns of methods with nothing but a docstring."""
    layers = [AsymDense(1, feedback=rule) for rule in ("uSF", "brSF", "WM")]
    model = keras.Sequential([keras.Input((3,)), *layers])

    @tf.function
    def step():
        redraw_feedback(model)
        for layer in layers:
            layer.catch_up_feedback()

    tf.get_logger().addHandler(caplog.handler)
    try:
        step()
    finally:
        tf.get_logger().removeHandler(caplog.handler)
    assert caplog.messages == []


def test_a_frozen_layer_redraws_too(sum_of_v):
    model = make_model(compiled=False)
    asymmetric(model).trainable = False
    model.compile(keras.optimizers.SGD(RATE), "mae")
    w2 = asymmetric(model).kernel.numpy()
    before = first(model)
    fit(model, 6)
    moved = (before - first(model)) / RATE
    np.testing.assert_array_equal(asymmetric(model).kernel, w2)
    np.testing.assert_allclose(moved, sum_of_v(model, range(6)), rtol=1e-3, atol=1e-3)
    assert draws(model) == 6


def test_evaluate_and_predict_change_no_state():
    model = make_model()
    fit(model, 3)
    [state] = asymmetric(model).feedback.get_weights()
    x = np.ones((4, 1))
    model.evaluate(x, x, 1, verbose=0, callbacks=[RedrawFeedback()])
    model.predict(x, 1, verbose=0, callbacks=[RedrawFeedback()])
    model.test_on_batch(x, x)
    model(x)
    model(x, training=True)
    np.testing.assert_array_equal(asymmetric(model).feedback.get_weights(), [state])


@pytest.mark.parametrize("mode", ["graph", "xla, 5 steps an execution"])
@pytest.mark.parametrize("callback", [True, False], ids=["callback", "no callback"])
@pytest.mark.parametrize("kind", ["model.keras", "model.weights.h5"])
def test_saved_in_mid_training_the_sequence_continues(kind, callback, mode, tmp_path):
    model = make_model(BatchManhattan(RATE), **MODES[mode])
    fit(model, 5, callback)
    path = tmp_path / kind
    if kind == "model.keras":
        model.save(path)
        restored = keras.models.load_model(path)
    else:
        model.save_weights(path)
        restored = make_model(BatchManhattan(RATE), seed=SEED + 1, **MODES[mode])
        restored.optimizer.build(restored.trainable_variables)
        restored.load_weights(path)
    for both in (model, restored):
        fit(both, 5, callback)
    # Only the names may differ.
    for ours, theirs in zip(model.weights, restored.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(
        asymmetric(restored).feedback_kernel, asymmetric(model).feedback_kernel
    )
    assert draws(restored) == 10


def test_nested_models_are_included():
    inner = make_model(compiled=False)
    inputs = keras.Input((1,))
    model = keras.Model(inputs, inner(inputs))
    model.compile(keras.optimizers.SGD(RATE), "mae")
    fit(model, 3)
    assert draws(inner) == 3


def test_a_custom_train_step_is_kept():
    class Own(keras.Model):
        steps = 0

        def __init__(self):
            super().__init__()
            self.below = keras.layers.Dense(2)
            self.layer = AsymDense(1, feedback="brSF")

        def call(self, x):
            return self.layer(self.below(x))

        def train_step(self, *args):
            Own.steps += 1
            return super().train_step(*args)

    model = Own()
    model.compile(keras.optimizers.SGD(RATE), "mae", run_eagerly=True)
    fit(model, 3)
    assert model.layer.feedback.draws == 3
    assert Own.steps == 3


class Adversaries(keras.Model):
    """A maker and its judge, which two optimizers update `critics` times and once."""

    def __init__(self, critics=1, by_hand=False):
        super().__init__()
        self.maker = keras.Sequential(
            [keras.Input((2,)), keras.layers.Dense(3), AsymDense(4, feedback="brSF")]
        )
        self.judge = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(3), AsymDense(1, feedback="brSF")]
        )
        self.others = {
            "judge": keras.optimizers.SGD(RATE),
            "maker": [keras.optimizers.SGD(RATE)],
        }
        self.critics, self.by_hand = critics, by_hand

    def call(self, x):
        return self.judge(self.maker(x))

    def train_step(self, data):
        x, _ = data
        for _ in range(self.critics):
            self.update(self.judge, self.others["judge"], x)
        return self.update(self.maker, self.others["maker"][0], x)

    def update(self, part, optimizer, x):
        variables = part.trainable_variables
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self(x))
        gradients = tape.gradient(loss, variables)
        if not self.by_hand:
            optimizer.apply(gradients, variables)
        else:
            for variable, gradient in zip(variables, gradients, strict=True):
                variable.assign_sub(RATE * gradient)
        return {"loss": loss}


@pytest.mark.parametrize(
    ("critics", "mode"),
    [(1, "graph"), (3, "graph"), (3, "eager"), (3, "5 steps an execution")],
)
@pytest.mark.parametrize("by_hand", [False, True], ids=["optimizers", "by hand"])
def test_one_draw_an_update_whoever_updates(critics, by_hand, mode):
    model = Adversaries(critics, by_hand)
    model.compile(loss="mse", **MODES[mode])
    x = np.random.default_rng(0).normal(size=(10, 2))
    model.fit(x, x, 1, verbose=0, callbacks=[RedrawFeedback()])
    assert draws(model.judge) == 10 * critics
    assert draws(model.maker) == 10


def test_a_rule_of_the_user_s_own_is_redrawn_whoever_updates():
    class Counting(feedbacks.Feedback):
        def build(self, kernel_shape):
            self.updates = self.add_weight(
                shape=(), initializer="zeros", dtype="int32", trainable=False
            )
            super().build(kernel_shape)

        def call(self, kernel):
            return kernel

        def redraw(self, kernel, updates=1):
            self.updates.assign_add(updates)

    for by_hand in (False, True):
        model = Adversaries(3, by_hand)
        model.maker.pop()
        model.maker.add(AsymDense(4, feedback=Counting()))
        model.compile(loss="mse")
        x = np.random.default_rng(0).normal(size=(10, 2))
        model.fit(x, x, 1, verbose=0, callbacks=[RedrawFeedback()])
        assert int(asymmetric(model.maker).feedback.updates) == 10


def test_a_custom_step_like_keras_s_draws_as_keras_s_does(sum_of_v):
    class Own(keras.Sequential):
        def train_step(self, data):
            return super().train_step(data)

    model = make_model(compiled=False)
    own = Own(model.layers)
    own.compile(keras.optimizers.SGD(RATE), "mae", jit_compile=False)
    before = first(own)
    fit(own, 10)
    moved = (before - first(own)) / RATE
    np.testing.assert_allclose(moved, sum_of_v(own, range(10)), rtol=1e-3, atol=1e-3)
    assert asymmetric(own).feedback.draws == 10


def test_a_decorated_call_keeps_no_trust_in_the_callback(sum_of_v, decorated):
    # Its trace is used again, in loops that don't redraw.
    model = make_model(compiled=False)
    below, layer = model.layers
    wrapped = keras.Sequential([keras.Input((1,)), below, decorated(layer)])
    wrapped.compile(keras.optimizers.SGD(RATE), "mae", jit_compile=False)
    before = first(wrapped)
    fit(wrapped, 3)
    optimizer = wrapped.optimizer
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(wrapped(tf.ones((1, 1)), training=True))
        variables = wrapped.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
    moved = (before - first(wrapped)) / RATE
    np.testing.assert_allclose(moved, sum_of_v(model, range(6)), rtol=1e-3, atol=1e-3)


def test_models_without_such_a_rule_are_unaffected():
    model = keras.Sequential([keras.Input((1,)), AsymDense(1, feedback="frSF")])
    model.compile("sgd", "mse")
    [before] = asymmetric(model).feedback.get_weights()
    fit(model, 2)
    assert "train_step" not in vars(model)
    np.testing.assert_array_equal(asymmetric(model).feedback.get_weights(), [before])


@pytest.mark.slow
@pytest.mark.parametrize("callback", [True, False], ids=["callback", "no callback"])
def test_replicas_share_one_m(callback, run_python, draw_factor):
    # Two logical CPUs need a separate process. Each replica has its own input, and so
    # moves its own row of W1, by half of the V that it used.
    code = f"""if True:
        import keras, numpy as np, tensorflow as tf
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * 2,
        )
        from keras_asymbp import AsymDense, RedrawFeedback, feedbacks
        with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
            rule = feedbacks.BatchwiseRandomSignConcordant(seed={SEED})
            layer = AsymDense(1, use_bias=False, feedback=rule)
            first = keras.layers.Dense({UNITS}, use_bias=False)
            model = keras.Sequential([keras.Input((2,)), first, layer])
            layer.kernel.assign([[1.0]] * {UNITS})
            model.compile(keras.optimizers.SGD({RATE}), "mae", jit_compile=False)
        before = first.kernel.numpy()
        model.fit(
            np.tile(np.eye(2), (10, 1)),
            np.full((20, 1), -100.0),
            batch_size=2,
            shuffle=False,
            verbose=0,
            callbacks=[RedrawFeedback()] if {callback} else None,
        )
        moved = (before - first.kernel.numpy()) / {RATE}
        layer.catch_up_feedback()
        print(rule.draws, *moved.ravel())
    """
    number_of_draws, *moved = map(float, run_python(code).split())
    assert number_of_draws == 10
    half = sum(draw_factor((UNITS, 1), SEED, draw) for draw in range(10)).T / 2
    np.testing.assert_allclose(
        np.reshape(moved, (2, UNITS)), [*half, *half], rtol=1e-3, atol=1e-3
    )
