import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp import BatchManhattan

SETTINGS = (0, 1, 2, 3)
STEPS = 20
CLOSE = {"rtol": 1e-5, "atol": 1e-6}  # the learning rate is a float32


def reference(w, gradients, rates, momentum, decay, setting):
    """Equation 3, step by step."""
    tau = kappa = np.zeros_like(w)
    for g, rate in zip(gradients, rates, strict=True):
        if setting == 0:
            tau = -g + momentum * tau - decay * w
        elif setting == 1:
            tau = -np.sign(g) + momentum * tau - decay * w
        elif setting == 2:
            tau = np.sign(-np.sign(g) + momentum * tau - decay * w)
        else:
            kappa = -np.sign(g) + momentum * kappa - decay * w
            tau = np.sign(kappa)
        w = w + rate * tau
    return w


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def run(optimizer, w, gradients, rates=None):
    variable = keras.Variable(w, dtype="float64")
    for step, g in enumerate(gradients):
        if rates is not None:
            optimizer.learning_rate = rates[step]
        optimizer.apply([tf.constant(g)], [variable])
    return variable.numpy()


def assert_follows_the_equation(setting, momentum, decay, rate, seed):
    w = normal(3, 4, seed=seed)
    gradients = normal(STEPS, 3, 4, seed=seed + 1)
    gradients[:, 0, 0] = 0  # a weight without a gradient
    rates = [rate] * 10 + [rate / 10] * 10
    optimizer = BatchManhattan(rate, momentum, decay, setting)
    np.testing.assert_allclose(
        run(optimizer, w, gradients, rates),
        reference(w, gradients, rates, momentum, decay, setting),
        **CLOSE,
    )


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("decay", [0.0, 0.01])
@pytest.mark.parametrize("setting", SETTINGS)
def test_twenty_steps_with_a_change_of_rate(setting, decay, momentum):
    assert_follows_the_equation(setting, momentum, decay, rate=0.05, seed=0)


@given(
    setting=st.sampled_from(SETTINGS),
    momentum=st.floats(0, 0.99),
    # TensorFlow flushes the smallest numbers to 0, and settings 2 and 3 take signs.
    decay=st.just(0.0) | st.floats(1e-6, 0.1),
    rate=st.floats(1e-4, 0.1),
    seed=st.integers(0, 100),
)
def test_any_settings(setting, momentum, decay, rate, seed):
    assert_follows_the_equation(setting, momentum, decay, rate, seed)


def test_the_rate_multiplies_tau_and_not_the_buffer():
    # Keras's SGD would continue with the velocity of the old rate.
    w = run(BatchManhattan(1.0, 0.5, setting=1), [0.0], [[1.0], [1.0]], [1.0, 0.0])
    np.testing.assert_array_equal(w, [-1.0])


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_weight_without_a_gradient_does_not_drift(setting, momentum):
    w = normal(5)
    zeros = np.zeros((6, 5))
    optimizer = BatchManhattan(0.1, momentum, setting=setting)
    np.testing.assert_array_equal(run(optimizer, w, zeros), w)


@pytest.mark.parametrize("setting", SETTINGS)
def test_without_momentum_a_weight_stops_with_its_gradient(setting):
    optimizer = BatchManhattan(0.5, 0.0, setting=setting)
    w = run(optimizer, [1.0], [[1.0], [0.0], [0.0]])
    np.testing.assert_array_equal(w, [0.5])


def test_weight_decay_is_applied_once():
    w = run(BatchManhattan(0.5, 0.0, weight_decay=0.5, setting=0), [8.0], [[0.0]])
    np.testing.assert_array_equal(w, [8 - 0.5 * 0.5 * 8])


def test_no_weight_decay_may_be_none_as_in_keras():
    w = keras.Variable([1.0, -2.0])
    optimizer = BatchManhattan(0.25, weight_decay=None)
    optimizer.apply([keras.ops.array([3.0, 0.0])], [w])
    assert w.numpy().tolist() == [0.75, -2.0]


def test_exclude_from_weight_decay():
    kernel = keras.Variable([8.0], name="kernel")
    bias = keras.Variable([8.0], name="bias")
    optimizer = BatchManhattan(0.5, 0.0, weight_decay=0.5, setting=0)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([tf.zeros(1), tf.zeros(1)], [kernel, bias])
    np.testing.assert_array_equal(kernel, [6.0])
    np.testing.assert_array_equal(bias, [8.0])


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("setting", SETTINGS)
def test_graphs_match_eager_code(setting, jit_compile):
    w, gradients = normal(4), normal(5, 4)
    optimizer = BatchManhattan(0.05, 0.9, 0.01, setting)
    variable = keras.Variable(w, dtype="float64")
    optimizer.build([variable])

    @tf.function(jit_compile=jit_compile)
    def step(g):
        optimizer.apply([g], [variable])

    for g in gradients:
        step(tf.constant(g))
    expected = reference(w, gradients, [0.05] * 5, 0.9, 0.01, setting)
    np.testing.assert_allclose(variable, expected, **CLOSE)


def test_schedules():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([2], [0.1, 0.01])
    w, gradients = normal(4), normal(6, 4)
    expected = reference(w, gradients, [0.1] * 3 + [0.01] * 3, 0.9, 0, 1)
    actual = run(BatchManhattan(schedule), w, gradients)
    np.testing.assert_allclose(actual, expected, **CLOSE)


def test_sparse_gradients_are_dense_ones():
    gradients = []
    for _ in range(3):
        embedding = keras.layers.Embedding(6, 2)
        embedding.build()
        with tf.GradientTape() as tape:
            looked_up = embedding(tf.constant([4, 1, 4]))  # one of them twice
            loss = tf.reduce_sum(looked_up * [[1.0, -2.0], [3.0, 0.5], [1.0, 1.0]])
        gradients.append(tape.gradient(loss, embedding.embeddings.value))
    assert all(isinstance(g, tf.IndexedSlices) for g in gradients)
    dense = [tf.convert_to_tensor(g) for g in gradients]
    np.testing.assert_array_equal(dense[0][4], [2.0, -1.0])
    for setting in SETTINGS:
        results = []
        for kind in (gradients, dense):
            variable = keras.Variable(normal(6, 2).astype("float32"))
            optimizer = BatchManhattan(0.1, 0.9, 0.01, setting)
            for g in kind:
                optimizer.apply([g], [variable])
            results.append(variable.numpy())
        np.testing.assert_array_equal(*results)


@pytest.mark.parametrize(
    ("argument", "clip"),
    [
        ({"clipnorm": 0.5}, lambda g: g * min(1, 0.5 / np.linalg.norm(g))),
        ({"global_clipnorm": 0.5}, lambda g: g * min(1, 0.5 / np.linalg.norm(g))),
        ({"clipvalue": 0.5}, lambda g: np.clip(g, -0.5, 0.5)),
    ],
    ids=["clipnorm", "global_clipnorm", "clipvalue"],
)
def test_clipping(argument, clip):
    w, gradients = normal(4), normal(6, 4)
    expected = reference(w, map(clip, gradients), [0.1] * 6, 0.9, 0, 0)
    actual = run(BatchManhattan(0.1, setting=0, **argument), w, gradients)
    np.testing.assert_allclose(actual, expected, **CLOSE)


def test_gradient_accumulation():
    w, gradients = normal(4), normal(6, 4)
    means = gradients.reshape(3, 2, 4).mean(1)
    expected = reference(w, means, [0.1] * 3, 0.9, 0.01, 1)
    optimizer = BatchManhattan(0.1, weight_decay=0.01, gradient_accumulation_steps=2)
    np.testing.assert_allclose(run(optimizer, w, gradients), expected, **CLOSE)


def test_exponential_moving_average():
    variable = keras.Variable(normal(4), dtype="float64")
    optimizer = BatchManhattan(0.1, use_ema=True, ema_momentum=0.75)
    average = None
    for g in normal(5, 4):
        optimizer.apply([tf.constant(g)], [variable])
        newest = variable.numpy()
        average = newest if average is None else 0.75 * average + 0.25 * newest
    optimizer.finalize_variable_values([variable])
    np.testing.assert_allclose(variable, average)


def test_loss_scaling():
    optimizer = keras.optimizers.LossScaleOptimizer(BatchManhattan(0.5, setting=0))
    variable = keras.Variable([1.0])
    with tf.GradientTape() as tape:
        loss = optimizer.scale_loss(tf.reduce_sum(variable.value))
    gradient = tape.gradient(loss, variable.value)
    assert float(gradient[0]) > 1
    optimizer.apply([gradient], [variable])
    np.testing.assert_array_equal(variable, [0.5])


def small_model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(BatchManhattan(0.01, 0.8, 0.01, setting=3), "mse", run_eagerly=True)
    return model


def assert_training_continues(model, loaded, x, y):
    """Three more updates of either model change its weights and optimizer alike."""
    for both in (model, loaded):
        for _ in range(3):
            both.train_on_batch(x, y)
    for ours, theirs in zip(
        [*model.weights, *model.optimizer.variables],
        [*loaded.weights, *loaded.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_saved_in_mid_training_it_continues(tmp_path):
    x, y = normal(4, 3), normal(4, 2)
    model = small_model()
    for _ in range(3):
        model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is BatchManhattan
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    assert_training_continues(model, loaded, x, y)


def test_its_alias():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("batch_manhattan", "mse")
    assert type(model.optimizer) is BatchManhattan
    config = keras.optimizers.get("batch_manhattan").get_config()
    assert config["learning_rate"] == pytest.approx(5e-4)
    assert (config["momentum"], config["weight_decay"]) == (0.9, 0.0)
    assert config["setting"] == 1


def test_config_round_trip():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    optimizer = BatchManhattan(schedule, 0.8, 0.01, 2, clipnorm=3.0, name="bm")
    config = keras.optimizers.serialize(optimizer)
    assert config["registered_name"] == "keras_asymbp>BatchManhattan"
    again = keras.optimizers.deserialize(config)
    assert again.get_config() == optimizer.get_config()
    for name in ("momentum", "weight_decay", "setting", "clipnorm", "name"):
        assert getattr(again, name) == getattr(optimizer, name)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("learning_rate", -1e-3),
        ("learning_rate", float("nan")),
        ("learning_rate", "0.1"),
        ("learning_rate", None),
        ("momentum", -0.1),
        ("momentum", 1.1),
        ("momentum", float("nan")),
        ("momentum", "0.9"),
        ("momentum", None),
        ("weight_decay", "0.1"),
        ("weight_decay", -0.1),
        ("weight_decay", float("nan")),
        ("weight_decay", float("inf")),
        ("setting", 4),
        ("setting", True),
        ("setting", -1),
        ("setting", "1"),
        ("setting", None),
    ],
)
def test_arguments_out_of_range_are_refused(argument, value):
    with pytest.raises(ValueError, match=f"Argument `{argument}` must be .*Received:"):
        BatchManhattan(**{argument: value})


def test_numbers_of_numpy_are_stored_as_python_s():
    arguments = {"momentum": np.float32(0.5), "weight_decay": np.float32(0.25)}
    optimizer = BatchManhattan(np.float32(0.5), setting=np.int64(2), **arguments)
    config = optimizer.get_config()
    assert config == BatchManhattan(0.5, 0.5, 0.25, setting=2).get_config()
    assert json.loads(json.dumps(config)) == config
    assert float(BatchManhattan(1).learning_rate) == 1
    assert float(BatchManhattan(lambda: 0.5).learning_rate) == 0.5


def clipped(gradients, clip, limit):
    if clip == "clipvalue":
        return [np.clip(g, -limit, limit) for g in gradients]
    norms = [np.linalg.norm(g) for g in gradients]
    if clip == "global_clipnorm":
        norms = [np.linalg.norm(norms)] * len(norms)
    return [g * min(1, limit / norm) for g, norm in zip(gradients, norms, strict=True)]


def whole_reference(weights, gradients, arguments, schedule, excluded):
    """Equation 3 with all features of a Keras optimizer; returns weights, averages."""
    momentum, decay = arguments["momentum"], arguments["weight_decay"]
    setting = arguments["setting"]
    each = arguments["gradient_accumulation_steps"] or 1
    clips = [name for name in arguments if "clip" in name]
    weights = [w.copy() for w in weights]
    averages = [np.zeros_like(w) for w in weights]
    taus = [np.zeros_like(w) for w in weights]
    sums = [np.zeros_like(w) for w in weights]
    for step, present in enumerate(gradients):
        update = step // each
        sums = [s + g for s, g in zip(sums, present, strict=True)]
        if (step + 1) % each == 0:
            means = [s / each for s in sums]
            sums = [np.zeros_like(w) for w in weights]
            for name in clips:
                means = clipped(means, name, arguments[name])
            for i, g in enumerate(means):
                d = 0 if i in excluded else decay
                g = g if setting == 0 else np.sign(g)
                taus[i] = -g + momentum * taus[i] - d * weights[i]
                if setting == 2:
                    taus[i] = np.sign(taus[i])
                tau = np.sign(taus[i]) if setting == 3 else taus[i]
                weights[i] += schedule(step) * tau  # counts calls, as Keras does
        if arguments["use_ema"]:
            m = arguments["ema_momentum"] if update else 0
            averages = [
                m * a + (1 - m) * w for a, w in zip(averages, weights, strict=True)
            ]
    return weights, averages


everything = given(
    arguments=st.fixed_dictionaries(
        {
            "setting": st.sampled_from(SETTINGS),
            "momentum": st.sampled_from([0.0, 0.5, 0.9]),
            "weight_decay": st.sampled_from([0.0, 0.01]),
            "gradient_accumulation_steps": st.sampled_from([None, 2, 3]),
            "use_ema": st.booleans(),
            "ema_momentum": st.sampled_from([0.5, 0.99]),
        }
    ),
    clip=st.sampled_from([{}, *({f: 0.7} for f in ("clipnorm", "clipvalue"))])
    | st.just({"global_clipnorm": 0.7}),
    scale=st.sampled_from([None, "static", "dynamic"]),
    excluded=st.booleans(),
    rate=st.sampled_from([0.1, 0.003]),
    jump=st.sampled_from([1, 3, 100]),
    seed=st.integers(0, 100),
)


def make_optimizer(arguments, clip, scale, excluded, rate, jump):
    """Returns the optimizer, its NumPy equivalent for a rate, and the loss scale."""
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay(
        [jump], [rate, rate / 10]
    )
    factor = {"loss_scale_factor": 8.0} if scale == "static" else {}
    optimizer = BatchManhattan(schedule, **arguments, **clip, **factor)
    if excluded:
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    if scale == "dynamic":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=64.0)

    def rate_of(step):
        return rate if step <= jump else rate / 10

    return optimizer, rate_of, {None: 1.0, "static": 8.0, "dynamic": 64.0}[scale]


@everything
def test_all_keras_arguments_at_once(
    arguments, clip, scale, excluded, rate, jump, seed
):
    optimizer, rates, factor = make_optimizer(
        arguments, clip, scale, excluded, rate, jump
    )
    weights = [normal(3, 2, seed=seed), normal(2, seed=seed + 1)]
    gradients = [
        [normal(3, 2, seed=seed + step), normal(2, seed=seed - step - 1 + 200)]
        for step in range(9)
    ]
    variables = [
        keras.Variable(w, dtype="float64", name=name)
        for w, name in zip(weights, ("kernel", "bias"), strict=True)
    ]
    for each in gradients:
        optimizer.apply([tf.constant(g * factor) for g in each], variables)
    expected, averages = whole_reference(
        weights, gradients, arguments | clip, rates, {1} if excluded else set()
    )
    for variable, e in zip(variables, expected, strict=True):
        np.testing.assert_allclose(variable, e, rtol=1e-5, atol=1e-5)
    if arguments["use_ema"]:
        optimizer.finalize_variable_values(variables)
        for variable, e in zip(variables, averages, strict=True):
            np.testing.assert_allclose(variable, e, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"clipnorm": 0.5},
        {"global_clipnorm": 0.5},
        {"clipvalue": 0.5},
        {"use_ema": True},
        {"gradient_accumulation_steps": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", ["eager", "graph"])
def test_an_embedding_in_fit(arguments, mode):
    """Its sparse gradient equals that of a dense product with one-hot rows."""
    indices = np.array([[4, 1], [4, 4], [0, 2], [1, 1]])
    targets = normal(4, 2, 3).astype("float32")
    table = normal(6, 3).astype("float32")
    results = []
    for layer, x in [
        (keras.layers.Embedding(6, 3), indices),
        (keras.layers.Dense(3, use_bias=False), np.eye(6, dtype="float32")[indices]),
    ]:
        model = keras.Sequential([layer])
        model.build((None, *x.shape[1:]))
        model.set_weights([table])
        optimizer = BatchManhattan(0.1, 0.9, 0.01, setting=1, **arguments)
        model.compile(optimizer, "mse", run_eagerly=mode == "eager", jit_compile=False)
        model.fit(x, targets, 2, epochs=2, shuffle=False, verbose=0)
        results.append(model.get_weights()[0])
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-6)


@everything
def test_saved_and_loaded_with_all_arguments(
    arguments, clip, scale, excluded, rate, jump, seed, tmp_path_factory
):
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    x, y = normal(4, 3, seed=seed), normal(4, 2, seed=seed + 1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    optimizer, *_ = make_optimizer(arguments, clip, scale, False, rate, jump)
    model.compile(optimizer, "mse", run_eagerly=True)
    for _ in range(3):  # in the middle of an accumulation by 2
        model.train_on_batch(x, y)
    model.save(path)
    loaded = keras.models.load_model(path)
    loaded.run_eagerly = True
    assert_training_continues(model, loaded, x, y)
