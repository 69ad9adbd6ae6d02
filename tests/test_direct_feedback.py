"""Direct feedback alignment compared with NumPy, and with stock layers piecewise."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_asymbp import (
    AsymDense,
    asymmetrize,
    direct_feedback,
    feedbacks,
    metrics,
    symmetrize,
)
from keras_asymbp.gradients import backpropagation


def normal(*shape, seed=0):
    generator = np.random.default_rng([seed, *shape])
    return generator.normal(size=shape).astype("float32")


def three_layers(activation="tanh", last="softmax", dense=layers.Dense):
    return keras.Sequential(
        [
            keras.Input((4,)),
            dense(6, activation=activation, name="one"),
            dense(5, activation=activation, name="two"),
            dense(3, activation=last, name="logits"),
        ]
    )


def classes(samples=8, number=3):
    return np.arange(samples) % number


def matrices(twin):
    return [b.numpy() for b in twin.get_layer("direct_feedback").weights]


def updates(model, x, y, loss="sparse_categorical_crossentropy", **arguments):
    """Returns the gradients of the trainable weights in `fit`: w before - after."""
    model.compile(keras.optimizers.SGD(1.0), loss, **arguments)
    before = [weight.numpy() for weight in model.trainable_weights]
    model.train_on_batch(x, y)
    after = [weight.numpy() for weight in model.trainable_weights]
    return [a - b for a, b in zip(before, after, strict=True)]


def assert_close(actual, expected, tolerance=1e-5):
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=tolerance)


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def gradients_by_numpy(weights, bs, x, y, activation, divisor):
    """Direct feedback alignment of two hidden layers, by hand."""
    w1, c1, w2, c2, w3, c3 = (np.asarray(w, "float64") for w in weights)
    b1, b2 = bs
    function, slope = {
        "relu": (lambda a: np.maximum(a, 0), lambda a: a > 0),
        "tanh": (np.tanh, lambda a: 1 - np.tanh(a) ** 2),
    }[activation]
    a1 = x @ w1 + c1
    h1 = function(a1)
    a2 = h1 @ w2 + c2
    h2 = function(a2)
    e = (softmax(h2 @ w3 + c3) - np.eye(3)[y]) / divisor
    d2 = (e @ b2) * slope(a2)
    d1 = (e @ b1) * slope(a1)
    return x.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ e, e.sum(0)


@pytest.mark.parametrize(
    ("how", "activation", "reduction"),
    [
        ("graph", "relu", "sum"),
        ("graph", "relu", "sum_over_batch_size"),
        ("graph", "tanh", "sum"),
        ("graph", "tanh", "sum_over_batch_size"),
        ("eager", "relu", "sum_over_batch_size"),
        ("xla", "tanh", "sum"),
        ("from_logits", "relu", "sum"),
    ],
)
def test_two_hidden_layers_match_numpy(how, activation, reduction):
    twin = direct_feedback(
        three_layers(activation, None if how == "from_logits" else "softmax")
    )
    x, y = normal(8, 4), classes()
    divisor = 1 if reduction == "sum" else 8
    expected = gradients_by_numpy(
        twin.trainable_weights, matrices(twin), x, y, activation, divisor
    )
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=how == "from_logits", reduction=reduction
    )
    assert_close(
        updates(twin, x, y, loss, run_eagerly=how == "eager", jit_compile=how == "xla"),
        expected,
    )


@pytest.mark.parametrize("dense", [layers.Dense, "BP"])
def test_the_twin_has_the_weights_and_outputs_of_the_model(dense):
    if dense == "BP":
        model = asymmetrize(three_layers(), "BP", print_fn=None)
    else:
        model = three_layers()
    model.compile("sgd", "mse")
    config, weights = model.get_config(), model.get_weights()
    twin = direct_feedback(model)
    assert not twin.compiled
    assert twin.name == model.name
    np.testing.assert_array_equal(twin(normal(8, 4)), model(normal(8, 4)))
    for layer in model.layers:
        assert type(twin.get_layer(layer.name)) is type(layer)
    assert (
        twin.layers[0].name == keras.Model(model.inputs, model.outputs).layers[0].name
    )
    # The model is unchanged.
    assert model.compiled
    assert model.get_config() == config
    twin.set_weights([w + 1 for w in twin.get_weights()])
    for one, other in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)


def words(inputs):
    vectorize = layers.TextVectorization(output_mode="multi_hot", split="character")
    vectorize.adapt(["to be", "or\nnot"])
    return vectorize(inputs)


def numbers(inputs):
    norm = layers.Normalization()
    norm.adapt(normal(20, 4) * 3 + 5)
    return norm(inputs)


def doubled(z):
    return 2 * z


@pytest.mark.filterwarnings("error:The object being serialized:UserWarning")
@pytest.mark.parametrize("last", [doubled, lambda z: -z], ids=["function", "lambda"])
@pytest.mark.parametrize(
    ("state", "x"),
    [(words, tf.constant([["to"], ["no\n"]])), (numbers, tf.constant(normal(2, 4)))],
    ids=["words", "numbers"],
)
def test_the_twin_has_the_state_and_functions_of_the_model(state, x, last):
    inputs = keras.Input(x.shape[1:], dtype=x.dtype.name)
    y = layers.Lambda(lambda z: z - 1)(state(inputs))
    y = layers.Dropout(0.5)(layers.Dense(5, activation=doubled, name="hidden")(y))
    y = layers.Dense(3, activation=last, name="logits")(y)
    model = keras.Model(inputs, y)
    model(x, training=True)
    twin = direct_feedback(model)
    for training in (False, True, True):
        outputs = [each(x, training=training) for each in (twin, model)]
        np.testing.assert_allclose(*outputs, rtol=1e-6)
    assert twin.get_layer("hidden").activation is doubled
    assert twin.get_layer("logits_activation").activation is last


def test_gradients_within_backpropagation_are_those_of_the_model():
    model = three_layers()
    twin = direct_feedback(model)
    x, y = normal(8, 4), classes()
    with backpropagation():
        ours = updates(twin, x, y, run_eagerly=True)
    assert_close(ours, updates(model, x, y, run_eagerly=True), 1e-6)


def test_gradient_angles_match_numpy():
    twin = direct_feedback(three_layers("tanh"))
    x, y = normal(8, 4), classes()
    twin.compile("sgd", "sparse_categorical_crossentropy")
    weights = twin.trainable_weights
    w2, w3 = (np.asarray(w, "float64") for w in (weights[2], weights[4]))
    ours = gradients_by_numpy(weights, matrices(twin), x, y, "tanh", 8)
    # With B_2 = W_3^T the second layer's gradients are backpropagation's; the first
    # layer's pass f' of the second.
    theirs = gradients_by_numpy(weights, [matrices(twin)[0], w3.T], x, y, "tanh", 8)
    angles = metrics.gradient_angles(twin, [(x, y)])
    assert list(angles) == ["one", "two", "logits"]
    assert angles["logits"] == 0
    assert angles["two"] == pytest.approx(metrics.angle(ours[2], theirs[2]), abs=1e-2)
    a1 = x @ np.asarray(weights[0]) + np.asarray(weights[1])
    h2 = np.tanh(np.tanh(a1) @ w2 + np.asarray(weights[3]))
    e = softmax(h2 @ w3 + np.asarray(weights[5])) - np.eye(3)[y]
    first = x.T @ ((((e @ w3.T) * (1 - h2**2)) @ w2.T) * (1 - np.tanh(a1) ** 2))
    assert angles["one"] == pytest.approx(metrics.angle(ours[0], first), abs=1e-2)
    assert angles["one"] > 5


def piecewise(pieces, head, bs, x, y):
    """DFA by stock layers only: each piece separately, from the error that it gets.

    Args:
        pieces: Lists of layers that begin with a layer with a kernel; those behind it
            are backpropagation's.
        head: The last layer with a kernel, linear.
        bs: A matrix for the output of each piece.
    """
    tapes, inputs = [], tf.constant(x)
    for piece in pieces:
        with tf.GradientTape() as tape:
            outputs = inputs
            for layer in piece:
                outputs = layer(outputs, **_training(layer))
        tapes.append((tape, outputs, piece))
        inputs = tf.constant(outputs.numpy())
    with tf.GradientTape() as tape:
        logits = head(inputs)
        loss = keras.losses.sparse_categorical_crossentropy(
            y, keras.ops.softmax(logits)
        )
    # The mean, as in `compile`.
    share = tf.fill(loss.shape, 1 / len(y))
    e = (tf.nn.softmax(logits).numpy() - np.eye(logits.shape[1])[y]) / len(y)
    gradients = []
    for (piece_tape, outputs, piece), b in zip(tapes, bs, strict=True):
        weights = [w for layer in piece for w in layer.trainable_weights]
        sent = (e @ b).reshape(outputs.shape).astype("float32")
        gradients += piece_tape.gradient(outputs, weights, tf.constant(sent))
    return gradients + tape.gradient(loss, head.trainable_weights, share)


def _training(layer):
    return {"training": True} if isinstance(layer, layers.BatchNormalization) else {}


def convolutional():
    return keras.Sequential(
        [
            keras.Input((9, 9, 2)),
            layers.Conv2D(4, 3, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.MaxPooling2D(name="pool"),
            layers.SeparableConv2D(3, 2, activation="tanh", name="separable"),
            layers.Flatten(),
            layers.Dense(3, name="logits"),
            layers.Softmax(),
        ]
    )


def test_convolutions_pooling_and_normalization():
    model = convolutional()
    twin = direct_feedback(model)
    assert [b.shape for b in matrices(twin)] == [(3, 3 * 3 * 4), (3, 2 * 2 * 3)]
    x, y = normal(6, 9, 9, 2), classes(6)
    conv, separable = model.layers[:4], model.layers[4:6]
    expected = piecewise(
        [conv, separable], model.get_layer("logits"), matrices(twin), x, y
    )
    assert_close(updates(twin, x, y, jit_compile=False), expected)


def residual():
    inputs = keras.Input((4,))
    x = layers.Dense(5, "tanh", name="stem")(inputs)
    block = layers.Dense(5, "tanh", name="block")(x)
    x = layers.Add()([x, block])
    return keras.Model(inputs, layers.Dense(3, "softmax", name="logits")(x))


def test_a_shortcut_carries_its_error_as_usual():
    model = residual()
    twin = direct_feedback(model)
    x, y = normal(8, 4), classes()
    w1, c1, w2, c2, w3, c3 = (w.numpy() for w in model.weights)
    h1 = np.tanh(x @ w1 + c1)
    h2 = np.tanh(h1 @ w2 + c2)
    e = (softmax((h1 + h2) @ w3 + c3) - np.eye(3)[y]) / 8
    b_block, b_logits = matrices(twin)
    d2 = (e @ b_logits) * (1 - h2**2)
    d1 = (e @ b_logits + e @ b_block) * (1 - h1**2)
    expected = [x.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), (h1 + h2).T @ e, e.sum(0)]
    assert_close(updates(twin, x, y), expected)


def test_branches_and_shared_layers_have_a_matrix_for_each_call():
    inputs = keras.Input((4,))
    stem = layers.Dense(4, name="stem")(inputs)
    shared = layers.Dense(4, name="shared", use_bias=False)
    x = layers.Concatenate()([shared(stem), shared(keras.ops.tanh(stem)) + stem])
    twin = direct_feedback(keras.Model(inputs, layers.Dense(3, name="logits")(x)))
    assert sorted(b.shape for b in matrices(twin)) == [(3, 4), (3, 4), (3, 8)]
    assert sum(layer.name == "shared" for layer in twin.layers) == 1
    of_stem, of_tanh, last = matrices(twin)  # in the order of the calls
    x = normal(5, 4)
    weights = {weight.path: weight.numpy() for weight in twin.weights}
    h = x @ weights["stem/kernel"]
    e = np.ones((5, 3)) / 15
    d = e @ last
    d_stem = d[:, 4:] + e @ of_stem + (e @ of_tanh) * (1 - np.tanh(h) ** 2)
    twin.compile(keras.optimizers.SGD(1.0), "mae", run_eagerly=True)
    twin.train_on_batch(x, np.full((5, 3), -100))
    moved = weights["stem/kernel"] - twin.get_layer("stem").kernel.numpy()
    np.testing.assert_allclose(moved, x.T @ d_stem, rtol=1e-4, atol=1e-5)


def test_attention_has_a_matrix_for_its_input():
    inputs = keras.Input((5, 4))
    x = layers.Dense(4, name="stem")(inputs)
    x = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, layers.Dense(3, "softmax", name="logits")(x))
    twin = direct_feedback(model)
    assert sorted(b.shape for b in matrices(twin)) == [(3, 4), (3, 20)]
    updates(twin, normal(2, 5, 4), classes(2), jit_compile=False)
    angles = metrics.gradient_angles(twin, [(normal(2, 5, 4), classes(2))])
    assert angles["attention/query"] > 5 > angles["logits"]


def test_a_seed_reproduces_matrices_that_differ_between_layers():
    def of(seed):
        model = keras.Sequential([keras.Input((4,))])
        for number in range(4):
            model.add(layers.Dense(4, name=f"dense_{number}"))
        return matrices(direct_feedback(model, seed=seed))

    def differ(one, other):
        return not any(np.array_equal(a, b) for a, b in zip(one, other, strict=True))

    assert_close(of(3), of(3), 0)
    assert differ(of(3), of(4))
    assert differ(of(3), of(3)[1:] + of(3)[:1])
    keras.utils.set_random_seed(5)
    first, second = of(None), of(None)
    keras.utils.set_random_seed(5)
    assert_close(of(None), first, 0)
    assert differ(first, second)


def test_the_matrices_are_normal():
    twin = direct_feedback(
        keras.Sequential(
            [keras.Input((4,)), layers.Dense(400), layers.Dense(100, name="logits")]
        ),
        stddev=0.2,
    )
    (b,) = matrices(twin)
    assert b.mean() == pytest.approx(0, abs=0.005)
    assert b.std() == pytest.approx(0.2, rel=0.02)
    assert np.mean(np.abs(b) < 0.2) == pytest.approx(0.6827, abs=0.01)


def test_the_matrices_are_never_trained():
    twin = direct_feedback(three_layers())
    before = matrices(twin)
    twin.trainable = True
    twin.compile("adam", "sparse_categorical_crossentropy")
    twin.fit(normal(8, 4), classes(), epochs=2, verbose=0)
    assert_close(matrices(twin), before, 0)
    assert len(twin.trainable_weights) == 6


def test_frozen_layers_stay_frozen_and_pass_the_error():
    model = three_layers()
    model.get_layer("two").trainable = False
    twin = direct_feedback(model)
    x, y = normal(8, 4), classes()
    every = gradients_by_numpy(twin.weights[:6], matrices(twin), x, y, "tanh", 8)
    names = [weight.path for weight in twin.trainable_weights]
    moved = dict(zip(names, updates(twin, x, y), strict=True))
    assert not any(name.startswith("two") for name in names)
    np.testing.assert_allclose(moved["one/kernel"], every[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("make", [three_layers, residual])
def test_a_frozen_and_compiled_model(make):
    model = make()
    # Keras can't copy this loss.
    model.compile("sgd", lambda y, predicted: keras.ops.mean(predicted - y))
    model.trainable = False
    twin = direct_feedback(model)
    assert not twin.compiled
    assert not twin.trainable_weights
    twin.trainable = True
    assert len(twin.trainable_weights) == 6


def test_layers_with_nothing_to_train_below_need_no_matrix():
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Normalization(mean=0.0, variance=1.0),
            layers.BatchNormalization(scale=False, center=False),
            layers.Dense(5, name="one"),
            layers.Dense(3, name="logits"),
        ]
    )
    assert [b.shape for b in matrices(direct_feedback(model))] == [(3, 5)]


def test_an_embedding_learns_through_the_matrix_of_the_layer_above():
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(10, 4, name="words"),
            layers.Conv1D(5, 2, name="conv"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(3, "softmax", name="logits"),
        ]
    )
    twin = direct_feedback(model)
    assert [b.shape for b in matrices(twin)] == [(3, 24), (3, 5)]
    words = np.arange(12).reshape(2, 6) % 10
    moved, *_ = updates(twin, words, classes(2), jit_compile=False)
    e = (model.predict(words, verbose=0) - np.eye(3)[classes(2)]) / 2
    expected = np.zeros((10, 4))
    np.add.at(expected, words, (e @ matrices(twin)[0]).reshape(2, 6, 4))
    np.testing.assert_allclose(moved, expected, rtol=1e-4, atol=1e-6)


def test_several_inputs_and_outputs_that_are_maps():
    a, b = keras.Input((4, 4, 1), name="a"), keras.Input((4, 4, 2), name="b")
    x = layers.Concatenate()([layers.Conv2D(2, 2)(a), layers.Conv2D(2, 2)(b)])
    x = layers.Conv2D(3, 3, activation="relu", name="maps")(x)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model({"a": a, "b": b}, layers.Softmax()(x))
    twin = direct_feedback(model)
    # The error of a map has as many elements as the map, before its activation.
    assert [b.shape for b in matrices(twin)] == [(3, 3 * 3 * 4)]
    assert twin.get_layer("maps").activation is keras.activations.linear
    data = {"a": normal(2, 4, 4, 1), "b": normal(2, 4, 4, 2)}
    np.testing.assert_array_equal(twin(data), model(data))
    assert [layer.name for layer in twin.layers[:2]] == ["a", "b"]


def test_saved_in_the_middle_of_training(tmp_path):
    x, y = normal(8, 4), classes()
    twin = direct_feedback(three_layers())
    twin.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    twin.train_on_batch(x, y)
    twin.save(tmp_path / "twin.keras")
    twin.save_weights(tmp_path / "twin.weights.h5")
    loaded = keras.models.load_model(tmp_path / "twin.keras")
    other = direct_feedback(three_layers())
    other.load_weights(tmp_path / "twin.weights.h5")
    assert_close(matrices(loaded), matrices(twin), 0)
    assert_close(matrices(other), matrices(twin), 0)
    for model in (twin, loaded):
        model.train_on_batch(x, y)
    assert_close(loaded.get_weights(), twin.get_weights(), 0)


def test_cloned():
    twin = direct_feedback(three_layers(), seed=3)
    clone = keras.models.clone_model(twin)
    clone.set_weights(twin.get_weights())
    x, y = normal(8, 4), classes()
    expected = gradients_by_numpy(
        clone.trainable_weights, matrices(twin), x, y, "tanh", 8
    )
    assert_close(updates(clone, x, y), expected)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = three_layers(last=None)
        model.add(layers.Activation("softmax", dtype="float32"))
        mixed = direct_feedback(model)
        within = direct_feedback(three_layers())
    finally:
        keras.config.set_dtype_policy("float32")
    assert {w.dtype for w in mixed.weights + within.weights} == {"float32"}
    assert within.output.dtype == policy.removeprefix("mixed_")
    x, y = normal(8, 4), classes()
    for each in (mixed, within):
        expected = gradients_by_numpy(
            each.trainable_weights, matrices(each), x, y, "tanh", 8
        )
        assert_close(updates(each, x, y, jit_compile=False), expected, 0.02)


def one_by_one(model, x):
    return keras.ops.vectorized_map(lambda row: model(row[None])[0], x)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_the_error_within_a_vectorized_map(policy):
    keras.config.set_dtype_policy(policy)
    try:
        twin = direct_feedback(three_layers(last=None))
    finally:
        keras.config.set_dtype_policy("float32")

    def gradients(call, x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.cast(call(twin, x), "float32") ** 2)
        return tape.gradient(loss, [w.value for w in twin.trainable_weights])

    x = normal(8, 4)
    expected = gradients(lambda model, x: model(x), x)
    tolerance = 1e-5 if policy == "float32" else 0.1
    assert_close(gradients(one_by_one, tf.constant(x)), expected, tolerance)


def test_targets_of_single_examples_within_a_vectorized_map():
    twin = direct_feedback(three_layers(), signal="target")
    loss = keras.losses.SparseCategoricalCrossentropy()

    def gradients(example):
        x, y = example
        with tf.GradientTape() as tape:
            error = loss(y[None], twin(x[None]))
        return tape.gradient(error, [w.value for w in twin.trainable_weights])

    examples = tf.constant(normal(5, 4)), tf.constant(classes(5))
    with pytest.warns(UserWarning, match="only if the gradient is taken within it"):
        found = tf.vectorized_map(gradients, examples)
    single = [gradients((x, y)) for x, y in zip(*examples, strict=True)]
    assert_close(found, [tf.stack(each) for each in zip(*single, strict=True)])


def test_exported_without_matrices(tmp_path):
    model = convolutional()
    twin = direct_feedback(model)
    x = normal(3, 9, 9, 2)
    twin.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
    twin.train_on_batch(x, classes(3))
    twin.export(tmp_path / "served", verbose=False)
    path = str(tmp_path / "served" / "variables" / "variables")
    names = [name for name, _ in tf.train.list_variables(path)]
    assert sum(name.startswith("_all") for name in names) == len(model.weights)
    files = [f.read_bytes() for f in (tmp_path / "served").rglob("*") if f.is_file()]
    assert not any(word in b"".join(files) for word in (b"feedback", b"stop_error"))
    served = tf.saved_model.load(tmp_path / "served")
    np.testing.assert_allclose(served.serve(x), twin(x), rtol=1e-4, atol=1e-6)
    # The model keeps them.
    assert len(matrices(twin)) == 2


@pytest.mark.slow
def test_an_exported_model_needs_none_of_our_code(tmp_path, run_python):
    twin = direct_feedback(three_layers())
    twin.export(tmp_path / "served", verbose=False)
    np.save(tmp_path / "x.npy", normal(3, 4))
    np.save(tmp_path / "y.npy", twin(normal(3, 4)))
    run_python(
        "import numpy as np, sys, tensorflow as tf\n"
        "served = tf.saved_model.load('served')\n"
        "assert 'keras_asymbp' not in sys.modules\n"
        "y = served.serve(np.load('x.npy'))\n"
        "np.testing.assert_allclose(y, np.load('y.npy'), rtol=1e-5, atol=1e-6)\n",
        cwd=tmp_path,
    )


@pytest.mark.parametrize(
    ("last", "reduction"),
    [
        ("softmax", "sum"),
        ("softmax", "sum_over_batch_size"),
        (None, "sum_over_batch_size"),
        ("sigmoid", "sum_over_batch_size"),
    ],
)
def test_the_target_matches_numpy(last, reduction):
    """Direct random target projection, with examples of different weights."""
    twin = direct_feedback(three_layers("tanh", last), signal="target")
    x, weights = normal(8, 4), np.linspace(0.5, 4, 8)
    t = np.eye(3)[classes()]
    if last == "sigmoid":
        t[::2] = [1, 1, 0]
        loss = keras.losses.BinaryCrossentropy(reduction=reduction)
    else:
        loss = keras.losses.CategoricalCrossentropy(last is None, reduction=reduction)
    w1, c1, w2, c2, w3, c3 = (np.asarray(w) for w in twin.trainable_weights)
    b1, b2 = matrices(twin)
    h1 = np.tanh(x @ w1 + c1)
    h2 = np.tanh(h1 @ w2 + c2)
    logits = h2 @ w3 + c3
    p = 1 / (1 + np.exp(-logits)) if last == "sigmoid" else softmax(logits)
    divisor = {"sum": 1, "sum_over_batch_size": 8}[reduction]
    s = weights[:, None] / divisor / (3 if last == "sigmoid" else 1)
    e = s * (p - t)
    d2 = (s * t @ b2) * (1 - h2**2)
    d1 = (s * t @ b1) * (1 - h1**2)
    expected = [x.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ e, e.sum(0)]
    twin.compile(keras.optimizers.SGD(1.0), loss)
    before = [weight.numpy() for weight in twin.trainable_weights]
    twin.train_on_batch(x, t, weights)
    after = [weight.numpy() for weight in twin.trainable_weights]
    assert_close([a - b for a, b in zip(before, after, strict=True)], expected)


def test_targets_align_the_last_layer_with_the_projection(tmp_path):
    """The claims of Frenkel et al. 2021: W of the last layer aligns with -B^T, so that
    the targets' gradients stay within 90 degrees of backpropagation's, and train."""
    generator = np.random.default_rng(2)
    x = generator.normal(size=(20, 8))[np.arange(200) % 20]
    x += 0.3 * generator.normal(size=(200, 8))
    y = np.arange(200) % 20 // 4  # classes of four clusters each
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(40, "tanh", name="hidden"),
            layers.Dense(5, "softmax", name="logits"),
        ]
    )
    twin = direct_feedback(model, stddev=1.0, seed=1, signal="target")
    twin.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    logits, [b] = twin.get_layer("logits"), matrices(twin)
    for weight in twin.trainable_weights:  # the same on every backend
        weight.assign(generator.normal(scale=0.3, size=weight.shape))
    assert metrics.angle(logits.kernel, -b.T) > 80
    twin.fit(x, y, batch_size=20, epochs=12, shuffle=False, verbose=0)
    assert metrics.angle(logits.kernel, -b.T) < 70
    angles = metrics.gradient_angles(twin, [(x, y)])
    assert angles["hidden"] < 85
    assert angles["logits"] == 0
    assert np.mean(np.argmax(twin(x), -1) == y) > 0.85
    twin.save(tmp_path / "twin.keras")
    loaded = keras.models.load_model(tmp_path / "twin.keras")
    assert loaded.get_layer("direct_feedback").signal == "softmax_target"


def ends(*more, last=None, units=3):
    hidden = [keras.Input((4,)), layers.Dense(5)]
    return keras.Sequential([*hidden, layers.Dense(units, last, name="logits"), *more])


@pytest.mark.parametrize(
    ("model", "received"),
    [
        (lambda: ends(last="tanh"), "'logits' with 3 units, and then tanh"),
        (lambda: ends(units=1), "with 1 units, and then nothing"),
        (lambda: ends(layers.Rescaling(2.0, name="twice")), "and then twice"),
        (lambda: ends(layers.Softmax(axis=0, name="rows")), "and then rows"),
        (lambda: ends(layers.ReLU(name="relu"), last="softmax"), "softmax, relu"),
    ],
)
def test_a_model_whose_error_has_no_target_is_refused(model, received):
    assert direct_feedback(model())
    with pytest.raises(ValueError, match=f"reads the target off.*{received}"):
        direct_feedback(model(), signal="target")


def test_refuses_an_unknown_signal():
    with pytest.raises(ValueError, match="must be 'error' or 'target'"):
        direct_feedback(three_layers(), signal="targets")


@pytest.mark.parametrize("last", [layers.Softmax(), layers.Activation("sigmoid")])
def test_an_activation_may_be_a_layer(last):
    assert direct_feedback(ends(last), signal="target")


@pytest.mark.parametrize("kind", [layers.Softmax, layers.PReLU])
def test_the_last_layer_s_activation_may_be_a_layer(kind, tmp_path):
    activation = kind()
    model = three_layers(last=activation)
    assert direct_feedback(model)  # before the first call, which builds a PReLU
    x, error = normal(8, 4), normal(8, 3, seed=1)
    for weight in activation.weights:
        weight.assign([0.5, -1.0, 2.0])
    twin = direct_feedback(model)
    np.testing.assert_array_equal(twin(x), model(x))
    with tf.GradientTape() as tape:
        outputs = twin(x)
    kernels = [twin.get_layer(name).kernel for name in ("two", "logits")]
    found = tape.gradient(outputs, kernels, error)
    one, two = (model.get_layer(name) for name in ("one", "two"))
    hidden = np.asarray(one(x))
    top = np.asarray(two(hidden))
    logits = tf.constant(top @ model.get_layer("logits").kernel)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        y = activation(logits)
    e = np.asarray(tape.gradient(y, logits, error))
    b = matrices(twin)[1]
    assert_close(found, [hidden.T @ ((e @ b) * (1 - top**2)), top.T @ e])
    twin.save(tmp_path / "twin.keras")
    np.testing.assert_array_equal(
        keras.saving.load_model(tmp_path / "twin.keras")(x), model(x)
    )
    before = model.get_weights()
    twin.compile("sgd", "mse")
    twin.fit(x, error, verbose=0)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_two_attentions_see_the_masks_that_they_see_in_the_model():
    """Keras's attention takes the mask off its inputs, so the second sees none."""
    tokens = keras.Input((6,), dtype="int32")
    embedded = layers.Embedding(9, 8, mask_zero=True)(tokens)
    first = layers.MultiHeadAttention(2, 4)(embedded, embedded)
    second = layers.MultiHeadAttention(2, 4)(first, embedded)
    model = keras.Model(tokens, layers.Dense(3)(second))
    twin = direct_feedback(model)
    x = np.array([[1, 2, 3, 0, 0, 0]])
    for call in (lambda each: each(x), lambda each: each.predict(x, verbose=0)):
        np.testing.assert_allclose(call(twin), call(model), atol=1e-6)


def test_an_empty_batch_has_gradients_of_0():
    twin = direct_feedback(three_layers())
    with tf.GradientTape() as tape:
        outputs = twin(np.ones((0, 4), "float32"))
    for gradient in tape.gradient(outputs, twin.trainable_weights):
        assert not np.any(gradient)


def test_the_target_of_an_activation_that_is_a_layer():
    assert direct_feedback(three_layers(last=layers.Softmax()), signal="target")
    with pytest.raises(ValueError, match="and then my_relu"):
        direct_feedback(
            three_layers(last=layers.LeakyReLU(name="my_relu")), signal="target"
        )


def two_outputs():
    inputs = keras.Input((4,))
    x = layers.Dense(4)(inputs)
    return keras.Model(inputs, [layers.Dense(3)(x), layers.Dense(2)(x)])


def nested():
    return keras.Sequential([keras.Input((4,)), three_layers(), layers.Dense(2)])


def past_the_last():
    inputs = keras.Input((3,))
    x = layers.Dense(3, name="stem")(inputs)
    return keras.Model(inputs, x + layers.Dense(3, name="logits")(x))


def used_twice():
    inputs = keras.Input((3,))
    last = layers.Dense(3, name="last")
    return keras.Model(inputs, last(layers.Dense(3, name="between")(last(inputs))))


def two_heads():
    inputs = keras.Input((4,))
    x = layers.Dense(3)(inputs)
    return keras.Model(inputs, layers.Dense(3)(x) + layers.Dense(3)(x))


class Subclassed(keras.Model):
    pass


WITH_A_RULE = asymmetrize(three_layers(), "uSF", print_fn=None)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (two_outputs, "a model with one output.*with 2 outputs"),
        (nested, "takes a model of layers.*inside '"),
        (past_the_last, "must pass it, once"),
        (used_twice, "must pass it, once"),
        (two_heads, "must pass it, once"),
        (lambda: WITH_A_RULE, "no error goes back.*with UniformSignConcordant"),
        (lambda: direct_feedback(three_layers()), "has direct feedback, which"),
        (
            lambda: keras.Sequential([keras.Input((4,)), layers.Dense(3)]),
            "at least two layers with kernels.*with 1",
        ),
        (
            lambda: keras.Sequential(
                [
                    keras.Input((None, 2)),
                    layers.Conv1D(3, 2),
                    layers.Conv1D(3, 2),
                    layers.GlobalMaxPooling1D(),
                    layers.Dense(3),
                ]
            ),
            r"Expected known sizes.*\(None, None, 3\)",
        ),
        (Subclassed, "`direct_feedback` takes a functional or Sequential model"),
        (lambda: keras.Sequential([layers.Dense(3)]), "takes a built model"),
    ],
)
def test_unsupported_models_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        direct_feedback(make())


@pytest.mark.parametrize("convert", [asymmetrize, symmetrize])
def test_a_twin_is_not_converted_again(convert):
    with pytest.raises(ValueError, match=f"`{convert.__name__}` the model from which"):
        convert(direct_feedback(three_layers()))


def test_a_model_with_a_rule_is_accepted_after_symmetrize():
    assert matrices(direct_feedback(symmetrize(WITH_A_RULE)))


@pytest.mark.parametrize(
    "use",
    [
        lambda: AsymDense(3, feedback="DFA"),
        lambda: feedbacks.get("DFA"),
        lambda: asymmetrize(three_layers(), "DFA"),
    ],
)
def test_it_is_not_a_rule_of_one_layer(use):
    with pytest.raises(ValueError, match=r"not a rule of one layer.*_feedback\(mo"):
        use()


@pytest.mark.slow
def test_two_hidden_layers_learn_mnist_5k_below_ten_percent():
    from keras_asymbp.benchmarks import datasets

    data = datasets.get("mnist_5k").load()
    x, x_test = (x.reshape(len(x), -1) / 255 for x in (data.x_train, data.x_test))
    twin = direct_feedback(
        keras.Sequential(
            [
                keras.Input(x.shape[1:]),
                layers.Dense(256, "tanh"),
                layers.Dense(256, "tanh"),
                layers.Dense(10, "softmax"),
            ]
        )
    )
    twin.compile(
        keras.optimizers.SGD(0.1, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    twin.fit(x, data.y_train, batch_size=100, epochs=15, verbose=0)
    _, accuracy = twin.evaluate(x_test, data.y_test, verbose=0)
    error = 1 - accuracy
    assert error < 0.10, error
