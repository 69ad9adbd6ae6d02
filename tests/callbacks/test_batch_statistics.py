import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import AsymDense, BatchNormalization, BatchStatistics

EPSILON = 1e-3
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


X, Y = normal(40, 3), normal(40, 2, seed=1)
BATCHES = normal(5, 8, 3, seed=2)


def make_model(alpha=0.25):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            AsymDense(4, feedback="brSF"),
            BatchNormalization(alpha=alpha, epsilon=EPSILON),
            AsymDense(2, feedback="brSF"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def dataset():
    return tf.data.Dataset.from_tensor_slices(BATCHES)


def expected_statistics(model, alpha):
    """Returns the averages over all batches with the present weights, by hand."""
    kernel, bias = (w.numpy() for w in model.layers[0].trainable_weights)
    mean = stddev = None
    for batch in BATCHES:
        outputs = batch @ kernel + bias
        newest = outputs.mean(0), np.sqrt(outputs.var(0) + EPSILON)
        if mean is None:
            mean, stddev = newest  # the averages start with the first batch
        else:
            mean = mean + alpha * (newest[0] - mean)
            stddev = stddev + alpha * (newest[1] - stddev)
    return mean[None], stddev[None]


@pytest.mark.parametrize("alpha", [0.05, 0.5, 1.0])
def test_statistics_after_each_epoch_belong_to_the_present_weights(alpha):
    model = make_model(alpha)
    norm = model.layers[1]
    seen = []

    class Check(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            mean, stddev = expected_statistics(model, alpha)
            np.testing.assert_allclose(norm.moving_mean, mean, **CLOSE)
            np.testing.assert_allclose(norm.moving_stddev, stddev, **CLOSE)
            # The validation used them.
            kernel, bias = (w.numpy() for w in model.layers[0].trainable_weights)
            hidden = (X @ kernel + bias - mean) / stddev
            kernel, bias = (w.numpy() for w in model.layers[2].trainable_weights)
            loss = np.mean((hidden @ kernel + bias - Y) ** 2)
            np.testing.assert_allclose(logs["val_loss"], loss, rtol=1e-3)
            seen.append(mean)

    model.fit(
        X,
        Y,
        epochs=3,
        verbose=0,
        validation_data=(X, Y),
        callbacks=[BatchStatistics(dataset()), Check()],
    )
    assert len(seen) == 3
    assert np.all(seen[0] != seen[2])


def test_training_continues_with_alpha():
    model = make_model(alpha=0.25)
    statistics = BatchStatistics(dataset())
    model.evaluate(X, Y, verbose=0, callbacks=[statistics])
    norm = model.layers[1]
    mean = norm.moving_mean.numpy()
    np.testing.assert_array_equal(norm.rate, 0.25)
    model(X, training=True)
    batch_mean = model.layers[0](X).numpy().mean(0)
    expected = mean + 0.25 * (batch_mean - mean)
    np.testing.assert_allclose(norm.moving_mean, expected, **CLOSE)


def test_it_changes_nothing_but_the_statistics():
    model = make_model()
    model.train_on_batch(X, Y)
    norm = model.layers[1]
    statistics = {norm.moving_mean.path, norm.moving_stddev.path}

    def others():
        return [w.numpy() for w in model.weights if w.path not in statistics]

    before = others()
    model.evaluate(X, Y, verbose=0, callbacks=[BatchStatistics(dataset())])
    for a, b in zip(before, others(), strict=True):
        np.testing.assert_array_equal(a, b)  # brSF isn't redrawn, either


@pytest.mark.parametrize("rule", ["BP", "PAL"])
def test_an_evaluation_does_not_change_the_training(rule):
    def trained(**arguments):
        keras.utils.set_random_seed(1)
        layers = [
            AsymDense(4, feedback=rule, name="first"),
            BatchNormalization(name="ours"),
            keras.layers.BatchNormalization(name="stock"),
            keras.layers.Dropout(0.5, seed=3),
            AsymDense(1, feedback=rule, name="last"),
        ]
        model = keras.Sequential([keras.Input((X.shape[1],)), *layers])
        model.compile("sgd", "mse")
        options = {"epochs": 2, "shuffle": False, "verbose": 0}
        model.fit(X, Y[:, :1], callbacks=[BatchStatistics([X])], **options, **arguments)
        ours = {id(each) for each in model.get_layer("ours").non_trainable_variables}
        return [each.numpy() for each in model.variables if id(each) not in ours]

    evaluated = trained(validation_data=(X, Y[:, :1]))
    for value, expected in zip(evaluated, trained(), strict=True):
        np.testing.assert_array_equal(value, expected)


def test_a_single_batch():
    model = make_model()
    one = tf.data.Dataset.from_tensors(BATCHES[0])
    model.evaluate(X, Y, verbose=0, callbacks=[BatchStatistics(one)])
    outputs = model.layers[0](BATCHES[0]).numpy()
    norm = model.layers[1]
    np.testing.assert_allclose(norm.moving_mean, outputs.mean(0)[None], **CLOSE)
    np.testing.assert_array_equal(norm.rate, 0.25)


def test_models_without_normalization_run_no_batch():
    def never():
        raise AssertionError
        yield

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    batches = tf.data.Dataset.from_generator(
        never, output_signature=tf.TensorSpec((8, 3))
    )
    model.evaluate(X, Y, verbose=0, callbacks=[BatchStatistics(batches)])


def test_one_callback_serves_several_models():
    statistics = BatchStatistics(dataset())
    for _ in range(2):
        model = make_model()
        model.evaluate(X, Y, verbose=0, callbacks=[statistics])
        mean, _ = expected_statistics(model, 0.25)
        np.testing.assert_allclose(model.layers[1].moving_mean, mean, **CLOSE)


def make_deep_model(**settings):
    """Two normalizations of our own, one of them in a nested model, and Keras's."""
    base = keras.Sequential(
        [
            keras.Input((3,)),
            AsymDense(4, feedback="uSF"),
            BatchNormalization(alpha=0.25, epsilon=EPSILON, **settings),
            keras.layers.BatchNormalization(),
        ]
    )
    model = keras.Sequential(
        [
            keras.Input((3,)),
            base,
            AsymDense(4, feedback="uSF"),
            BatchNormalization(alpha=0.25, epsilon=EPSILON),
            AsymDense(2, feedback="uSF"),
        ]
    )
    model.compile("sgd", "mse")
    return model, base, base.layers[1], model.layers[2]


def state(layer):
    return [variable.numpy() for variable in layer.weights]


def is_like(layer, before):
    return all(map(np.array_equal, state(layer), before))


def test_frozen_layers_keep_their_statistics():
    model, base, inner, outer = make_deep_model()
    model.train_on_batch(X, Y)
    base.trainable = False
    # Not the rate that the callback sets.
    inner.rate.assign(0.125)
    before = state(base), state(outer)
    model.evaluate(X, Y, verbose=0, callbacks=[BatchStatistics(dataset())])
    assert is_like(base, before[0])
    assert not is_like(outer, before[1])
    # The layers above have the statistics of what the frozen ones give in testing.
    one = tf.data.Dataset.from_tensors(BATCHES[0])
    model.evaluate(X, Y, verbose=0, callbacks=[BatchStatistics(one)])
    hidden = model.layers[1](base(BATCHES[0])).numpy()
    np.testing.assert_allclose(outer.moving_mean, hidden.mean(0)[None], **CLOSE)


def test_frozen_layers_that_ask_for_batch_statistics_get_them():
    model, base, inner, _ = make_deep_model(batch_statistics_when_frozen=True)
    base.trainable = False
    one = tf.data.Dataset.from_tensors(BATCHES[0])
    model.evaluate(X, Y, verbose=0, callbacks=[BatchStatistics(one)])
    outputs = base.layers[0](BATCHES[0]).numpy()
    stddev = np.sqrt(outputs.var(0) + EPSILON)
    np.testing.assert_allclose(inner.moving_mean, outputs.mean(0)[None], **CLOSE)
    np.testing.assert_allclose(inner.moving_stddev, stddev[None], **CLOSE)
    np.testing.assert_array_equal(inner.rate, 0.25)


def test_a_callback_follows_layers_that_are_frozen_and_unfrozen():
    model, base, inner, outer = make_deep_model()
    statistics = BatchStatistics(dataset())
    moved = []
    for trainable in (True, False, True):
        base.trainable = trainable
        model.compile("sgd", "mse")
        before = state(base), state(inner), state(outer)
        model.evaluate(X, Y, verbose=0, callbacks=[statistics])
        layers = base, inner, outer
        moved.append([not is_like(*pair) for pair in zip(layers, before, strict=True)])
        outer.moving_mean.assign(np.zeros((1, 4)))
        inner.moving_mean.assign(np.zeros((1, 4)))
    assert moved == [[True] * 3, [False, False, True], [True] * 3]


def test_models_whose_normalizations_are_frozen_run_no_batch():
    def never():
        raise AssertionError
        yield

    model = make_model()
    model.layers[1].trainable = False
    batches = tf.data.Dataset.from_generator(
        never, output_signature=tf.TensorSpec((8, 3))
    )
    model.evaluate(X, Y, verbose=0, callbacks=[BatchStatistics(batches)])


def test_the_rate_is_alpha_after_a_batch_that_fails():
    model = make_model(alpha=0.25)
    wrong = tf.zeros((1, 8, 4))
    with pytest.raises(ValueError, match="incompatible"):
        model.evaluate(X, Y, verbose=0, callbacks=[BatchStatistics(wrong)])
    np.testing.assert_array_equal(model.layers[1].rate, 0.25)


def test_a_forward_pass_is_traced_once():
    model, base, _, _ = make_deep_model()
    calls = []
    call = model.layers[1].call
    model.layers[1].call = lambda *args, **kwargs: (
        calls.append(1) or call(*args, **kwargs)
    )
    base.trainable = False
    statistics = BatchStatistics(dataset())
    statistics.set_model(model)
    for _ in range(3):
        statistics.set_model(model)
        statistics.on_test_begin()
    assert len(calls) == 1


@pytest.mark.parametrize("batches", [None, 5])
def test_what_is_no_iterable_is_refused(batches):
    with pytest.raises(ValueError, match=rf"`\[x\]`. Received: batches={batches}$"):
        BatchStatistics(batches)


def test_a_data_set_for_fit_is_refused():
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    norm = BatchNormalization()
    model = keras.Sequential([keras.Input((3,)), norm, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    statistics = BatchStatistics([(x, y)])
    with pytest.raises(ValueError, match=r"without y.*Received: a tuple of 2"):
        model.evaluate(x, y, callbacks=[statistics], verbose=0)
    assert float(norm.rate) == pytest.approx(norm.alpha)
    # Two inputs are a batch.
    second = keras.Input((3,))
    two = keras.Model([model.inputs[0], second], model.outputs[0] + second[:, :1])
    two.compile("sgd", "mse")
    both = BatchStatistics([(x, x)])
    two.evaluate([x, x], y, callbacks=[both], verbose=0)


def test_an_evaluation_without_a_batch_is_refused():
    model, words = make_model(), "no batch for this evaluation"
    used_up = BatchStatistics(iter(BATCHES))
    model.evaluate(X, Y, verbose=0, callbacks=[used_up])
    for statistics in (used_up, BatchStatistics([])):
        with pytest.raises(ValueError, match=words):
            model.evaluate(X, Y, verbose=0, callbacks=[statistics])
