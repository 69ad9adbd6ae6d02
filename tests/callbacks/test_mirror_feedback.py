import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import (
    AsymDense,
    MirrorFeedback,
    RedrawFeedback,
    feedbacks,
    metrics,
    mirror_feedback,
    random,
)


def make_model(feedback="WM", **arguments):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.BatchNormalization(),
            AsymDense(5, feedback=feedback, activation="relu", name="hidden"),
            keras.layers.Dropout(0.5, seed=3),
            AsymDense(4, feedback=feedback, name="logits"),
        ]
    )
    model.compile(keras.optimizers.SGD(1e-6), "mse", **arguments)
    return model


def steps(model):
    return [model.get_layer(name).feedback.steps for name in ("hidden", "logits")]


def fit(model, *callbacks, epochs=2):
    model.fit(
        np.ones((16, 6)),
        np.ones((16, 4)),
        epochs=epochs,
        batch_size=8,
        verbose=0,
        callbacks=list(callbacks),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"run_eagerly": True},
        {"jit_compile": True},
        {"steps_per_execution": 2, "jit_compile": False},
    ],
    ids=str,
)
def test_a_phase_before_each_epoch(arguments):
    model = make_model(**arguments)
    fit(model, MirrorFeedback(steps=3))
    assert steps(model) == [6, 6]


def test_v_is_aligned_by_the_phases():
    model = make_model()
    fit(model, MirrorFeedback(steps=200))
    for name in ("hidden", "logits"):
        assert metrics.alignment(model)[name]["angle"] < 20


def test_mixed_precision_mirrors_the_stored_weights():
    def mirrored(dtype):
        rule = feedbacks.WeightMirror(rate=1.0, stddev=0.0, seed=3)
        layer = AsymDense(3, feedback=rule, dtype=dtype)
        model = keras.Sequential([keras.Input((4,)), layer])
        layer.kernel.assign(np.full((4, 3), 1e-9))  # 0 in half precision
        mirror_feedback(model)
        return layer.feedback_kernel

    expected = mirrored("float32")
    assert np.all(expected != 0)
    np.testing.assert_array_equal(mirrored("mixed_float16"), expected)


def test_nothing_but_v_changes():
    model = make_model()
    state = {variable.path: variable.numpy() for variable in model.variables}
    mirror_feedback(model, steps=2)
    changed = {
        variable.path
        for variable in model.variables
        if np.any(variable.numpy() != state[variable.path])
    }
    assert {path.partition("/")[2] for path in changed} == {
        f"{name}/feedback/{part}"
        for name in ("hidden", "logits")
        for part in ("weights", "state")
    }


def test_states_of_recurrent_layers_are_restored():
    inputs = keras.Input((3, 2), batch_size=4)
    recurrent = keras.layers.LSTM(5, stateful=True)
    model = keras.Model(inputs, AsymDense(4, feedback="WM")(recurrent(inputs)))
    model(np.ones((4, 3, 2), "float32"))
    before = [state.numpy() for state in recurrent.states]
    mirror_feedback(model, steps=2)
    for state, value in zip(recurrent.states, before, strict=True):
        np.testing.assert_array_equal(state, value)
    assert np.any(before[0])


@pytest.mark.parametrize("given", [True, False])
def test_dictionaries_of_inputs(given):
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    layer = AsymDense(4, feedback="WM")
    # Not in the order of the names, in which a list would be taken.
    model = keras.Model({"b": b, "a": a}, layer(keras.layers.Concatenate()([a, b])))
    batch = {"a": np.zeros((9, 3), "float32"), "b": np.zeros((9, 2), "float32")}
    mirror_feedback(model, batch if given else None, steps=400)
    assert metrics.angle(layer.kernel, layer.feedback_kernel) < 30
    assert layer.feedback.steps == 400


class Traced(keras.layers.Layer):
    traces = 0

    def call(self, x):
        self.traces += 1
        return x


def test_the_call_is_traced_once():
    traced = Traced()
    layer = AsymDense(4, feedback="WM")
    model = keras.Sequential([keras.Input((6,)), traced, layer])
    model.compile("sgd", "mse")
    for _ in range(2):  # Keras's own traces
        fit(model, MirrorFeedback(steps=1), epochs=1)
    traced.traces = 0
    for _ in range(3):
        fit(model, MirrorFeedback(steps=2, steps_per_update=1), epochs=2)
        mirror_feedback(model)
    assert traced.traces == 0
    mirror_feedback(model, np.zeros((7, 6)), steps=2)
    assert traced.traces == 1


def test_steps_follow_the_updates_of_any_optimizer():
    class Adversaries(keras.Model):
        def __init__(self):
            super().__init__()
            self.maker = AsymDense(3, feedback="WM")
            self.judge = AsymDense(1, feedback="WM")
            self.maker.build((None, 2))
            self.judge.build((None, 3))
            self.optimizers = [keras.optimizers.SGD(1e-6) for _ in range(2)]

        def call(self, x):
            return self.judge(self.maker(x))

        def train_step(self, data):
            for optimizer, layer in zip(
                self.optimizers, (self.judge, self.maker), strict=True
            ):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(self(data[0]))
                gradients = tape.gradient(loss, layer.trainable_weights)
                optimizer.apply(gradients, layer.trainable_weights)
            return {"loss": loss}

    model = Adversaries()
    model.compile(loss="mse")
    mirror = MirrorFeedback(1, np.zeros((5, 2), "float32"), steps_per_update=3)
    model.fit(np.ones((8, 2)), np.ones(8), 2, verbose=0, callbacks=[mirror])
    assert [layer.feedback.steps for layer in model.layers] == [1 + 4 * 3] * 2


def test_a_model_without_the_rule_is_unaffected():
    model = make_model("brSF")
    weights = model.get_weights()
    mirror_feedback(model, steps=2)
    for after, before in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(after, before)
    plain = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4)])
    plain.compile("sgd", "mse")
    fit(plain, MirrorFeedback())


def test_one_callback_for_two_models():
    callback = MirrorFeedback(steps=1)
    for model in (make_model(), make_model()):
        fit(model, callback, epochs=1)
        assert steps(model) == [1, 1]


def unbuilt_sequential(rule, units):
    model = keras.Sequential([AsymDense(units, feedback=rule)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("late", [False, True], ids=["Sequential", "subclass"])
def test_a_model_that_fit_builds_is_built_for_the_inputs(late, make_late_model):
    make = make_late_model if late else unbuilt_sequential
    model = make("WM", 4)
    inputs = np.ones((10, 6))
    fit(model, MirrorFeedback(steps=3, inputs=inputs, steps_per_update=1))
    (layer,) = model.layers
    assert layer.feedback.steps == 2 * (3 + 2)
    model = make("WM", 4)
    mirror_feedback(model, inputs, steps=2)
    (layer,) = model.layers
    assert layer.feedback.steps == 2


def test_a_model_that_fit_builds_needs_inputs():
    with pytest.raises(ValueError, match="Give a batch of inputs"):
        fit(unbuilt_sequential("WM", 4), MirrorFeedback())


def test_a_model_without_fixed_shapes_needs_inputs():
    sequence = keras.Input((None, 6), name="sequence")
    model = keras.Model(sequence, AsymDense(4, feedback="WM", name="logits")(sequence))
    with pytest.raises(ValueError, match=r"have no fixed shape.*Give a batch"):
        mirror_feedback(model)
    mirror_feedback(model, np.zeros((2, 3, 6), "float32"))
    assert model.get_layer("logits").feedback.steps == 1


@pytest.mark.parametrize("steps", [0, -1, 2.5, True])
def test_refuses_an_invalid_number_of_steps(steps):
    assert MirrorFeedback(steps=np.int64(2))
    with pytest.raises(ValueError, match="`steps` must be an integer of 1 or more"):
        MirrorFeedback(steps=steps)


@pytest.mark.parametrize("number", [-1, 2.5, True, "1"])
def test_refuses_an_invalid_number_of_steps_in_a_loop(number):
    model = make_model()
    with pytest.raises(ValueError, match="`steps` must be an integer of 0 or more"):
        mirror_feedback(model, steps=number)
    assert steps(model) == [0] * 2


@pytest.mark.parametrize("arguments", [{}, {"steps_per_execution": 2}], ids=str)
def test_steps_after_each_update(arguments):
    model = make_model(**arguments)
    # Two epochs, each of a phase and two updates.
    fit(model, MirrorFeedback(steps=3, steps_per_update=5))
    assert steps(model) == [2 * (3 + 2 * 5)] * 2


def test_v_follows_each_update_of_w():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(64, 6))
    y = x @ generator.normal(size=(6, 4))
    angles = []
    for steps in (0, 20):
        layer = AsymDense(4, feedback="WM")
        model = keras.Sequential([keras.Input((6,)), layer])
        model.compile(keras.optimizers.SGD(0.5), "mse")
        mirror = MirrorFeedback(steps_per_update=steps)
        model.fit(x, y, epochs=1, batch_size=8, verbose=0, callbacks=[mirror])
        angles.append(metrics.angle(layer.kernel, layer.feedback_kernel))
    assert angles[1] < 20 < angles[0]


class OwnStep(keras.Sequential):
    def train_step(self, data):
        return super().train_step(data)


@pytest.mark.parametrize(
    ("cls", "steps_per_update", "looks"),
    [
        (keras.Sequential, 1, False),  # the optimizer counts
        (OwnStep, 0, False),  # nobody asks for the count
        (OwnStep, 1, True),
    ],
)
def test_looks_for_changes_of_w_only_if_it_must(
    cls, steps_per_update, looks, monkeypatch
):
    seen = []
    fingerprint = random.fingerprint
    monkeypatch.setattr(
        random, "fingerprint", lambda w: seen.append(w.path) or fingerprint(w)
    )
    layers = [
        AsymDense(4, feedback=rule, name=f"layer_{rule}") for rule in ("brSF", "WM")
    ]
    model = cls([keras.Input((6,)), *layers])
    model.compile("sgd", "mse")
    fit(model, RedrawFeedback(), MirrorFeedback(1, steps_per_update=steps_per_update))
    assert any("layer_WM" in path for path in seen) == looks


@pytest.mark.parametrize("steps", [-1, 2.5, True])
def test_refuses_an_invalid_steps_per_update(steps):
    with pytest.raises(ValueError, match="`steps_per_update` must be an integer of 0"):
        MirrorFeedback(steps_per_update=steps)
