import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import AsymDense, BatchNormalization, metrics
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.training.batches import (
    Examples,
    statistics_batches,
    training_batches,
)
from keras_asymbp.benchmarks.training.trainer import Trainer

SGD = Column("SGD")
EVERYTHING = Column("brSF+BN+BM", feedback="brSF", normalization="BN", setting=1)


def everything(split):
    return split.batch(tf.range(len(split)))


def train(trainer, trial, on_epoch=lambda row: None):
    return trainer.train(trial, on_epoch)


def updates(trainer):
    return int(trainer._model.optimizer.iterations)


def layers_of(trainer, kind):
    return [layer for layer in trainer._model.layers if isinstance(layer, kind)]


def alike(result, expected):
    return result == expected | {
        "curves": [pytest.approx(row, rel=1e-4) for row in expected["curves"]]
    }


def expected_curves(weights, examples, cell, trial):
    """Training by equation 3's setting 0, with stock Keras and NumPy alone."""
    stock = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    weights = [weight.astype("float64") for weight in weights]
    taus = [np.zeros_like(weight) for weight in weights]

    def losses(x, y):
        return tf.nn.sparse_softmax_cross_entropy_with_logits(y, stock(x))

    def error(x, y):
        return np.mean(np.argmax(stock(x), axis=-1) != y)

    rows = []
    for epoch, factor in enumerate([1, 0.1, 0.01]):
        batch_size = [size for start, size in trial.batch_schedule if start <= epoch][
            -1
        ]
        batches = training_batches(examples, batch_size, cell.seed, epoch)
        seen = []
        for x, y in batches.take(200 // batch_size):
            stock.set_weights(weights)
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(losses(x, y))
            gradients = tape.gradient(loss, stock.trainable_variables)
            seen.append((loss / batch_size, error(x, y)))
            for weight, tau, gradient in zip(weights, taus, gradients, strict=True):
                tau *= cell.protocol.momentum
                tau -= gradient.numpy() + cell.protocol.weight_decay * weight
                weight += trial.learning_rate * factor * tau
        stock.set_weights(weights)
        x, y = everything(examples.test)
        rows.append(
            {
                "epoch": epoch + 1,
                "learning_rate": trial.learning_rate * factor,
                "train_loss": np.mean([loss for loss, _ in seen]),
                "train_error": np.mean([error for _, error in seen]),
                "test_loss": np.mean(losses(x, y)),
                "test_error": error(x, y),
            }
        )
    return rows


# Three epochs have a rate each: the rate, a tenth and a hundredth of it.
@pytest.mark.parametrize(
    ("schedules", "settings"),
    [
        ((((0, None),),), {}),
        ((((0, None),),), {"momentum": 0.5, "weight_decay": 0.5, "batch_size": 40}),
        ((((0, None),), ((0, 100), (1, 50))), {}),
    ],
)
def test_training_is_sgd_on_the_summed_loss(
    schedules, settings, make_trainer, tiny_examples
):
    column = Column("SGD", batch_schedules=schedules)
    trainer, cell = make_trainer(column, epochs=3, learning_rates=(5e-3,), **settings)
    start = trainer._model.get_weights()
    curves = []
    for trial in cell.trials():
        result = train(trainer, trial)
        expected = expected_curves(start, tiny_examples, cell, trial)
        assert result["curves"] == [pytest.approx(row, rel=1e-3) for row in expected]
        assert result["best_error"] == min(row["test_error"] for row in expected)
        curves.append([row["test_loss"] for row in result["curves"]])
    assert len(set(map(tuple, curves))) == len(curves)


@pytest.mark.parametrize("column", [SGD, EVERYTHING])
def test_every_trial_starts_anew(column, make_trainer):
    trainer, cell = make_trainer(column, learning_rates=(5e-3, 5e-2))
    slow, fast = cell.trials()
    start = trainer._model.get_weights()
    first = train(trainer, slow)
    trained = trainer._model.get_weights()
    assert not all(map(np.array_equal, start, trained))
    other = train(trainer, fast)
    assert not alike(other, first)
    assert alike(train(trainer, slow), first)
    # Another process would make another trainer.
    again, _ = make_trainer(column, learning_rates=(5e-3, 5e-2))
    for before, after in zip(start, again._model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert alike(train(again, slow), first)


def test_a_seed_is_other_weights_feedback_and_order(make_trainer):
    column = Column("RndF", feedback="RndF")
    (zero, cell), (one, _) = make_trainer(column), make_trainer(column, seed=1)
    for a, b in zip(layers_of(zero, AsymDense), layers_of(one, AsymDense), strict=True):
        assert (a.kernel != b.kernel).numpy().mean() > 0.9
        assert (a.feedback_kernel != b.feedback_kernel).numpy().mean() > 0.9
    first, second = (train(trainer, cell.trials()[2]) for trainer in (zero, one))
    assert not alike(first, second)


@pytest.fixture
def count_traces(monkeypatch):
    """A list that grows whenever the loss is traced."""
    traced = []
    call = keras.losses.SparseCategoricalCrossentropy.call

    def counted(self, *args):
        traced.append(self)
        return call(self, *args)

    monkeypatch.setattr(keras.losses.SparseCategoricalCrossentropy, "call", counted)
    return traced


def test_five_rates_are_traced_once(make_trainer, count_traces):
    trainer, cell = make_trainer(EVERYTHING)
    first, *others = cell.trials()
    assert len(others) == 4
    train(trainer, first)
    once = len(count_traces)
    assert once > 0
    for trial in others:
        train(trainer, trial)
    assert len(count_traces) == once


# Every kind of state that a cell starts from: weights, feedback, draws, statistics.
@pytest.mark.parametrize(
    "column",
    [SGD, EVERYTHING, Column("frSF", feedback="frSF"), Column("RndF", feedback="RndF")],
    ids=lambda column: column.name,
)
def test_a_cell_that_is_taken_up_is_the_same_as_alone(
    column, make_trainer, tiny_examples
):
    shared, cell = make_trainer(column)
    trial = cell.trials()[2]
    first = train(shared, trial)
    alone, other = make_trainer(column, seed=1)
    expected = train(alone, trial)
    assert not alike(expected, first)
    assert shared.take_up(other, tiny_examples)
    assert alike(train(shared, trial), expected)
    # And back.
    assert shared.take_up(cell, tiny_examples)
    assert alike(train(shared, trial), first)


def test_a_taken_up_cells_data_are_its_own(make_trainer, tiny_examples, make_split):
    x, y = everything(tiny_examples.train)
    turned = Examples(
        make_split(x[::-1], y[::-1]),
        make_split(*(half[:50] for half in everything(tiny_examples.test))),
    )
    shared, cell = make_trainer(EVERYTHING)
    trial = cell.trials()[2]
    train(shared, trial)
    assert shared.take_up(cell, turned)
    assert alike(train(shared, trial), train(Trainer(cell, turned), trial))


@pytest.mark.parametrize(
    "changes",
    [
        {"column": Column("X", feedback="uSF")},
        {"column": Column("X", normalization="BN")},
        {"column": Column("X", setting=1)},
        {"column": Column("X", clamped="Top")},
        {"column": Column("X", weight_decay=0.25)},
        {"momentum": 0.5},
        {"weight_decay": 0.5},
        {"batch_size": 20},
        {"architecture": "mnist"},
    ],
    ids=lambda changes: next(iter(changes.values())),
)
def test_a_cell_of_another_graph_is_not_taken_up(
    changes, make_trainer, make_cell, tiny, tiny_examples
):
    trainer, cell = make_trainer()
    other = make_cell(changes.pop("column", SGD), tiny, **{"epochs": 2} | changes)
    assert not trainer.take_up(other, tiny_examples)
    assert trainer.take_up(cell, tiny_examples)


def test_seeds_are_traced_once(
    make_trainer, make_cell, tiny, tiny_examples, count_traces
):
    trainer, cell = make_trainer(EVERYTHING, learning_rates=(5e-4,))
    train(trainer, *cell.trials())
    once = len(count_traces)
    assert once > 0
    for seed in (1, 2):
        cell = make_cell(EVERYTHING, tiny, seed, epochs=2, learning_rates=(5e-4,))
        assert trainer.take_up(cell, tiny_examples)
        train(trainer, *cell.trials())
    assert len(count_traces) == once


def test_curves_are_complete(make_trainer):
    trainer, cell = make_trainer(EVERYTHING, epochs=6, learning_rates=(5e-4,))
    told = []
    result = train(trainer, *cell.trials(), told.append)
    assert told == result["curves"]
    assert [row["epoch"] for row in told] == [1, 2, 3, 4, 5, 6]
    assert [row["learning_rate"] for row in told] == pytest.approx(
        [5e-4] * 4 + [5e-5, 5e-6]
    )
    for row in told:
        assert row.keys() == {
            *("epoch", "learning_rate"),
            *("train_loss", "train_error", "test_loss", "test_error"),
        }
        assert all(math.isfinite(value) for value in row.values())
        # 100 test examples: a whole number of hundredths, exactly.
        assert row["test_error"] in [errors / 100 for errors in range(101)]
    errors = [row["test_error"] for row in told]
    assert result["best_error"] == min(errors)
    assert result["best_epoch"] == 1 + errors.index(min(errors))
    assert result["diverged"] is False


def test_the_last_error_is_that_of_the_model(make_trainer, tiny_examples):
    trainer, cell = make_trainer(EVERYTHING)
    result = train(trainer, cell.trials()[2])
    x, y = everything(tiny_examples.test)
    logits = trainer._model.predict(x, verbose=0)
    errors = np.sum(np.argmax(logits, axis=-1) != y)
    assert result["curves"][-1]["test_error"] == errors / 100


def test_the_rate_of_an_epoch_is_the_optimizers(make_trainer):
    trainer, cell = make_trainer(epochs=3, learning_rates=(0.5,))
    rates = []
    train(
        trainer,
        *cell.trials(),
        lambda row: rates.append(float(trainer._model.optimizer.learning_rate)),
    )
    assert rates == pytest.approx([0.5, 0.05, 0.005])


def test_a_rate_that_diverges_at_once_scores_chance(make_trainer):
    trainer, cell = make_trainer(learning_rates=(1e30, 5e-4))
    diverging, other = cell.trials()
    assert train(trainer, diverging) == {
        "best_error": 0.9,
        "best_epoch": None,
        "diverged": True,
        "curves": [],
    }
    assert updates(trainer) == 2
    # What is left behind is not the next trial's start.
    fresh, _ = make_trainer(learning_rates=(1e30, 5e-4))
    assert alike(train(trainer, other), train(fresh, other))


def test_a_rate_that_diverges_later_ends_there(make_trainer):
    trainer, cell = make_trainer(epochs=65, learning_rates=(1e6,))
    result = train(trainer, *cell.trials())
    assert result["diverged"] is True
    errors = [row["test_error"] for row in result["curves"]]
    assert len(errors) < 65
    assert result["best_error"] == min(errors, default=0.9)
    assert updates(trainer) == 2 * (len(errors) + 1)


def test_a_run_that_diverges_has_no_further_batch_size(make_trainer):
    column = Column("SGD", batch_schedules=(((0, None), (1, 50)),))
    trainer, cell = make_trainer(column, learning_rates=(1e30,))
    assert train(trainer, *cell.trials())["diverged"] is True
    assert updates(trainer) == 2


def test_a_run_that_diverges_keeps_its_best_epoch(make_trainer):
    trainer, cell = make_trainer(epochs=6)
    good = train(trainer, cell.trials()[2])

    def poison(row):
        if row["epoch"] == 3:
            trainer._model.layers[-1].bias.assign([math.inf] * 10)

    result = train(trainer, cell.trials()[2], poison)
    rows = good["curves"][:3]
    assert alike(
        result,
        {
            "best_error": min(row["test_error"] for row in rows),
            "best_epoch": good["best_epoch"] if good["best_epoch"] < 4 else 3,
            "diverged": True,
            "curves": rows,
        },
    )


def test_an_epoch_with_an_infinite_test_loss_is_none(make_trainer, monkeypatch):
    # The last update of an epoch can break what no training batch sees any more.
    trainer, cell = make_trainer(learning_rates=(5e-4,))
    monkeypatch.setattr(
        trainer._statistics,
        "on_test_begin",
        lambda logs=None: trainer._model.layers[-1].bias.assign([math.nan] * 10),
    )
    result = train(trainer, *cell.trials())
    assert (result["curves"], result["diverged"]) == ([], True)
    assert updates(trainer) == 2


@pytest.mark.parametrize("clamped", [None, "Bottom", "Top"])
@pytest.mark.parametrize("normalization", ["BN", "BN learnable"])
def test_clamped_layers_stay_at_their_start(clamped, normalization, make_trainer):
    column = Column(
        "X", feedback="uSF", normalization=normalization, setting=1, clamped=clamped
    )
    trainer, cell = make_trainer(column)
    hidden, last = layers_of(trainer, AsymDense)
    (norm,) = layers_of(trainer, BatchNormalization)
    learned = [hidden.kernel, hidden.bias, last.kernel, last.bias]
    if normalization == "BN learnable":
        learned += [norm.gain, norm.offset]
    start = [variable.numpy() for variable in learned]
    train(trainer, cell.trials()[1])
    moved = [
        not np.array_equal(variable, before)
        for variable, before in zip(learned, start, strict=True)
    ]
    # A bias before a normalization has a gradient of rounding errors, or none.
    del moved[1]
    below, above = clamped != "Top", clamped != "Bottom"
    assert moved == [below, above, above, below, below][: len(moved)]


# 10 steps an epoch; 8 and 10 alternate; 2; a prime number.
@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (((0, 20),), 3 * 10),
        (((0, 20), (1, 25)), 10 + 2 * 8),
        (((0, 100),), 3 * 2),
        (((0, 15),), 3 * 13),
        (((0, 100), (5, 50)), 3 * 2),  # the second phase is never reached
    ],
)
def test_updates_and_redraws(schedule, expected, make_trainer):
    column = Column("brSF", feedback="brSF", batch_schedules=(schedule,))
    trainer, cell = make_trainer(column, epochs=3, learning_rates=(5e-4, 5e-5))
    for trial in cell.trials():
        train(trainer, trial)
        assert updates(trainer) == expected
        for layer in layers_of(trainer, AsymDense):
            (state,) = layer.feedback.variables
            assert int(state[1]) == expected


def test_v_after_training_is_that_of_the_last_draw(make_trainer, draw_factor):
    column = Column("brSF", feedback="brSF")
    trainer, cell = make_trainer(column, batch_size=20)
    assert trainer._model.steps_per_execution > 1
    for layer in layers_of(trainer, AsymDense):
        seed = int(layer.feedback.variables[0][0])
        train(trainer, cell.trials()[2])
        np.testing.assert_array_equal(
            layer.feedback_kernel,
            np.sign(layer.kernel) * draw_factor(layer.kernel.shape, seed, draw=2 * 10),
        )


def test_statistics_are_taken_after_the_epoch(make_trainer, tiny_examples):
    column = Column("BN", normalization="BN")
    trainer, cell = make_trainer(
        column, batch_size=20, statistics_batches=5, statistics_alpha=0.25
    )
    train(trainer, cell.trials()[2])
    (hidden, _), (norm,) = (
        layers_of(trainer, kind) for kind in (AsymDense, BatchNormalization)
    )
    batches = list(statistics_batches(tiny_examples, 20, 5, cell.seed))
    assert [len(batch) for batch in batches] == [20] * 5
    mean = deviation = None
    for batch in batches:
        values = np.reshape(batch, (20, 784)) @ hidden.kernel.numpy() + hidden.bias
        newest = values.mean(axis=0), np.sqrt(values.var(axis=0) + norm.epsilon)
        if mean is None:
            mean, deviation = newest
        else:
            mean = 0.75 * mean + 0.25 * newest[0]
            deviation = 0.75 * deviation + 0.25 * newest[1]
    np.testing.assert_allclose(norm.moving_mean[0], mean, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(norm.moving_stddev[0], deviation, rtol=1e-3)


def test_alignment_after_the_last_epoch(make_trainer, tiny_examples):
    column = Column("RndF", feedback="RndF")
    trainer, cell = make_trainer(column, batch_size=40, alignment_batches=2)
    plain, _ = make_trainer(column, batch_size=40)
    trial = cell.trials()[2]
    result = train(trainer, trial)
    hidden, logits = layers_of(trainer, AsymDense)
    w, v = logits.kernel.numpy(), np.asarray(logits.feedback_kernel)
    gradients = [0, 0]
    for x, y in training_batches(tiny_examples, 40, cell.seed).take(2):
        x = np.reshape(x, (40, 784)).astype("float64")
        above = x @ hidden.kernel.numpy() + hidden.bias.numpy()
        scores = np.exp(np.maximum(above, 0) @ w + logits.bias.numpy())
        error = scores / scores.sum(axis=1, keepdims=True) - np.eye(10)[y]
        for number, kernel in enumerate((w, v)):
            gradients[number] += x.T @ (error @ kernel.T * (above > 0))

    def degrees(a, b):
        cosine = np.vdot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)
        return pytest.approx(np.degrees(np.arccos(cosine)), abs=0.05)

    below = hidden.kernel.numpy(), np.asarray(hidden.feedback_kernel)
    assert list(result.pop("alignment").values()) == [
        {"angle": degrees(*below), "gradient_angle": degrees(*gradients)},
        {"angle": degrees(w, v), "gradient_angle": 0.0},
    ]
    # The training is the same as without.
    assert alike(result, train(plain, trial))


def test_alignment_of_what_has_none(make_trainer):
    # A frozen layer has no gradient.
    column = Column("X", feedback="uSF", clamped="Bottom")
    trainer, cell = make_trainer(column, alignment_batches=1, learning_rates=(5e-5,))
    hidden, logits = train(trainer, *cell.trials())["alignment"].values()
    assert 0 < hidden["gradient_angle"] < 180
    assert 0 < logits["angle"] < 90
    assert logits["gradient_angle"] is None
    # Direct feedback has no V of a layer's shape.
    column = Column("DFA", feedback="DFA")
    trainer, cell = make_trainer(column, alignment_batches=1, learning_rates=(5e-5,))
    hidden, logits = train(trainer, *cell.trials())["alignment"].values()
    assert 10 < hidden["gradient_angle"] < 170
    assert logits["gradient_angle"] == 0
    assert hidden["angle"] is logits["angle"] is None
    # A run that diverged is not looked at.
    trainer, cell = make_trainer(alignment_batches=1, learning_rates=(1e30,))
    assert train(trainer, *cell.trials())["alignment"] is None


def test_a_columns_own_decay(make_trainer):
    trainer, _ = make_trainer(Column("KP", feedback="KP", weight_decay=0.25))
    assert trainer._model.optimizer.weight_decay == 0.25


def test_mirror_phases_are_run(make_trainer):
    column = Column("WM", feedback="WM")
    trainer, cell = make_trainer(column, learning_rates=(5e-5, 5e-6))
    logits = trainer._model.layers[-1]
    seen = []
    for trial in cell.trials():
        train(trainer, trial)
        seen.append(metrics.angle(logits.kernel, logits.feedback_kernel))
    assert max(seen) < 45


def test_the_protocol_and_the_column_reach_the_model(make_trainer):
    column = Column("X", feedback="NuSF", normalization="BN", setting=3)
    trainer, _ = make_trainer(
        column,
        kernel_initializer="zeros",
        momentum=0.25,
        weight_decay=0.125,
        normalization_per="element",
        statistics_alpha=0.5,
    )
    optimizer = trainer._model.optimizer
    assert optimizer.setting == 3
    assert optimizer.momentum == 0.25
    assert optimizer.weight_decay == 0.125
    (norm,) = layers_of(trainer, BatchNormalization)
    assert (norm.per, norm.alpha, norm.learnable) == ("element", 0.5, False)
    for layer in layers_of(trainer, AsymDense):
        assert layer.feedback.alias == "NuSF"
        assert not layer.kernel.numpy().any()


def test_what_is_held_out_chooses_the_epoch(make_trainer, tiny_examples):
    settings = {"validation_share": 0.2, "epochs": 4, "batch_size": 20}
    trainer, cell = make_trainer(**settings)
    result = train(trainer, cell.trials()[2])
    rows = result["curves"]
    best = min(rows, key=lambda row: row["validation_error"])
    assert result["best_epoch"] == best["epoch"]
    assert result["validation_error"] == best["validation_error"]
    assert result["best_error"] == best["test_error"]

    # The first of each class, 4 of 20, by the model as it is after the last epoch.
    x, y = (tensor.numpy() for tensor in everything(tiny_examples.train))
    held = np.concatenate([np.flatnonzero(y == label)[:4] for label in range(10)])
    logits = trainer.model(x[held]).numpy()
    assert rows[-1]["validation_error"] == np.mean(logits.argmax(-1) != y[held])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y[held], logits)
    assert rows[-1]["validation_loss"] == pytest.approx(np.mean(losses), rel=1e-4)
    assert updates(trainer) == 4 * (200 - 40) // 20


def test_without_a_split_results_have_no_word_of_it(make_trainer):
    trainer, cell = make_trainer()
    result = train(trainer, cell.trials()[2])
    assert set(result) == {"best_error", "best_epoch", "diverged", "curves"}
    assert not any("validation_error" in row for row in result["curves"])


def test_a_run_that_diverges_at_once_scores_chance_in_validation_too(make_trainer):
    trainer, cell = make_trainer(validation_share=0.2, learning_rates=(1e30,))
    (trial,) = cell.trials()
    result = train(trainer, trial)
    assert result["diverged"]
    assert result["validation_error"] == result["best_error"] == 0.9


def test_augmentation_reaches_the_batches(make_trainer):
    results = []
    for augmentation in (None, "standard", "standard"):
        trainer, cell = make_trainer(augmentation=augmentation)
        results.append(train(trainer, cell.trials()[2]))
    plain, first, again = results
    assert first == again
    assert plain["curves"] != first["curves"]
