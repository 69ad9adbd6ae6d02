import dataclasses
import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_asymbp import AsymDense, BatchNormalization, BatchStatistics, metrics
from keras_asymbp.benchmarks.results.measures import MEASURES
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.training.batches import (
    Examples,
    statistics_batches,
    training_batches,
)
from keras_asymbp.benchmarks.training.observers import Observer
from keras_asymbp.benchmarks.training.trainer import Trainer

SGD = Column("SGD")
EVERYTHING = Column("brSF+BN+BM", rule="brSF", normalization="BN", setting=1)


def all_examples(split):
    return split.batch(np.arange(len(split)))


class AfterEpoch(Observer):
    """Calls a function after each epoch with its row of the curves."""

    def __init__(self, function):
        self._function = function

    def epoch(self, row):
        self._function(row)


def updates(trainer):
    return int(trainer.model.optimizer.iterations)


def layers_of(trainer, kind):
    return [layer for layer in trainer.model.layers if isinstance(layer, kind)]


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
        for x, y in itertools.islice(batches, 200 // batch_size):
            stock.set_weights(weights)
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(losses(x, y))
                reduced = loss / (
                    1 if cell.protocol.loss_reduction == "sum" else len(x)
                )
            gradients = tape.gradient(reduced, stock.trainable_variables)
            seen.append((loss / batch_size, error(x, y)))
            for weight, tau, gradient in zip(weights, taus, gradients, strict=True):
                tau *= cell.protocol.momentum
                tau -= gradient.numpy()
                if weight.ndim > 1 or cell.protocol.bias_decay:
                    tau -= cell.protocol.weight_decay * weight
                weight += trial.learning_rate * factor * tau
        stock.set_weights(weights)
        x, y = all_examples(examples.test)
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


# Three epochs with one rate each: the rate, a tenth and a hundredth of it.
@pytest.mark.parametrize(
    ("schedules", "settings"),
    [
        ((((0, None),),), {}),
        ((((0, None),),), {"momentum": 0.5, "weight_decay": 0.5, "batch_size": 40}),
        ((((0, None),), ((0, 100), (1, 50))), {}),
        ((((0, None),),), {"loss_reduction": "mean", "weight_decay": 0.5}),
        ((((0, None),),), {"bias_decay": False, "weight_decay": 5.0}),
    ],
)
def test_training_is_sgd_on_the_loss(schedules, settings, make_trainer, tiny_examples):
    column = Column("SGD", batch_schedules=schedules)
    trainer, cell = make_trainer(column, epochs=3, learning_rates=(5e-3,), **settings)
    start = trainer.model.get_weights()
    curves = []
    for trial in cell.trials():
        result = trainer.train(trial)
        expected = expected_curves(start, tiny_examples, cell, trial)
        assert result["curves"] == [pytest.approx(row, rel=1e-3) for row in expected]
        assert result["best_error"] == min(row["test_error"] for row in expected)
        curves.append([row["test_loss"] for row in result["curves"]])
    assert len(set(map(tuple, curves))) == len(curves)


@pytest.mark.parametrize("column", [SGD, EVERYTHING])
def test_every_trial_starts_from_the_same_state(column, make_trainer, tiny_examples):
    trainer, cell = make_trainer(column, learning_rates=(5e-3, 5e-2))
    slow, fast = cell.trials()
    start = trainer.model.get_weights()
    first = trainer.train(slow)
    trained = trainer.model.get_weights()
    assert not all(map(np.array_equal, start, trained))
    other = trainer.train(fast)
    assert not alike(other, first)
    assert alike(trainer.train(slow), first)
    # Another process makes another trainer.
    again = Trainer(cell, tiny_examples)
    for before, after in zip(start, again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert alike(again.train(slow), first)


def test_seeds_differ_in_weights_feedback_and_order(make_trainer):
    column = Column("RndF", rule="RndF")
    (zero, cell), (one, _) = make_trainer(column), make_trainer(column, seed=1)
    for a, b in zip(layers_of(zero, AsymDense), layers_of(one, AsymDense), strict=True):
        assert (a.kernel != b.kernel).numpy().mean() > 0.9
        assert (a.feedback_kernel != b.feedback_kernel).numpy().mean() > 0.9
    first, second = (trainer.train(cell.trials()[2]) for trainer in (zero, one))
    assert not alike(first, second)


@pytest.fixture
def count_traces(monkeypatch):
    """A list with an item for each tracing of the loss."""
    traced = []
    call = keras.losses.SparseCategoricalCrossentropy.call

    def counted(self, *args):
        traced.append(self)
        return call(self, *args)

    monkeypatch.setattr(keras.losses.SparseCategoricalCrossentropy, "call", counted)
    return traced


def test_rates_and_seeds_are_traced_once(make_cell, tiny, tiny_examples, count_traces):
    cell = make_cell(EVERYTHING, tiny, epochs=2)
    trainer = Trainer(cell, tiny_examples)
    first, *others = cell.trials()
    assert len(others) == 4
    trainer.train(first)
    once = len(count_traces)
    assert once > 0
    for trial in others:
        trainer.train(trial)
    for seed in (1, 2):
        assert trainer.take_up(dataclasses.replace(cell, seed=seed), tiny_examples)
        trainer.train(first)
    assert len(count_traces) == once


# Every kind of initial state: weights, feedback, draws, statistics.
@pytest.mark.parametrize(
    "column",
    [EVERYTHING, Column("frSF", rule="frSF"), Column("RndF", rule="RndF")],
    ids=lambda column: column.name,
)
def test_a_cell_that_is_taken_up_gives_its_own_trainers_results(
    column, make_trainer, tiny_examples
):
    shared, cell = make_trainer(column)
    trial = cell.trials()[2]
    first = shared.train(trial)
    other = dataclasses.replace(cell, seed=1)
    alone = Trainer(other, tiny_examples)
    start = alone.model.get_weights()
    expected = alone.train(trial)
    assert not alike(expected, first)
    assert shared.take_up(other, tiny_examples)
    for before, variable in zip(start, shared.model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, variable)
    assert alike(shared.train(trial), expected)
    # And back.
    assert shared.take_up(cell, tiny_examples)
    assert alike(shared.train(trial), first)


def test_a_cell_that_is_taken_up_brings_its_data(
    make_trainer, tiny_examples, make_split
):
    x, y = all_examples(tiny_examples.train)
    turned = Examples(
        make_split(x[::-1], y[::-1]),
        make_split(*(half[:50] for half in all_examples(tiny_examples.test))),
    )
    shared, cell = make_trainer(EVERYTHING)
    trial = cell.trials()[2]
    shared.train(trial)
    assert shared.take_up(cell, turned)
    assert alike(shared.train(trial), Trainer(cell, turned).train(trial))


@pytest.mark.parametrize(
    "changes",
    [
        {"column": Column("X", rule="uSF")},
        {"column": Column("X", normalization="BN")},
        {"column": Column("X", setting=1)},
        {"column": Column("X", clamped="Top")},
        {"column": Column("X", optimizer="Lion")},
        {"column": Column("X", weight_decay=0.25)},
        {"momentum": 0.5},
        {"weight_decay": 0.5},
        {"loss_reduction": "mean"},
        {"bias_decay": False},
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


def test_curves_are_complete(make_trainer):
    trainer, cell = make_trainer(EVERYTHING, epochs=6, learning_rates=(5e-4,))
    rows = []
    result = trainer.train(*cell.trials(), [AfterEpoch(rows.append)])
    assert rows == result["curves"]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["learning_rate"] for row in rows] == pytest.approx(
        [5e-4] * 4 + [5e-5, 5e-6]
    )
    for row in rows:
        assert row.keys() == {
            *("epoch", "learning_rate"),
            *("train_loss", "train_error", "test_loss", "test_error"),
        }
        assert all(math.isfinite(value) for value in row.values())
        # 100 test examples: exact hundredths.
        assert row["test_error"] in [errors / 100 for errors in range(101)]
    errors = [row["test_error"] for row in rows]
    assert result["best_error"] == min(errors)
    assert result["best_epoch"] == 1 + errors.index(min(errors))
    assert result["diverged"] is False


def test_the_last_error_is_the_trained_models(make_trainer, tiny_examples):
    trainer, cell = make_trainer(EVERYTHING)
    result = trainer.train(cell.trials()[2])
    x, y = all_examples(tiny_examples.test)
    logits = trainer.model.predict(x, verbose=0)
    errors = np.sum(np.argmax(logits, axis=-1) != y)
    assert result["curves"][-1]["test_error"] == errors / 100


def test_the_optimizer_has_each_epochs_rate(make_trainer):
    trainer, cell = make_trainer(epochs=3, learning_rates=(0.5,))
    rates = []

    def record(row):
        rates.append(float(trainer.model.optimizer.learning_rate))

    trainer.train(*cell.trials(), [AfterEpoch(record)])
    assert rates == pytest.approx([0.5, 0.05, 0.005])


def test_a_rate_that_diverges_at_once_scores_chance(make_trainer):
    trainer, cell = make_trainer(learning_rates=(1e30, 5e-4))
    diverging, other = cell.trials()
    expected = trainer.train(other)
    assert trainer.train(diverging) == {
        "best_error": 0.9,
        "best_epoch": None,
        "diverged": True,
        "curves": [],
    }
    assert updates(trainer) == 2
    # The next trial does not start from the diverged state.
    assert alike(trainer.train(other), expected)


def test_a_rate_that_diverges_later_ends_there(make_trainer):
    trainer, cell = make_trainer(epochs=65, learning_rates=(1e6,))
    result = trainer.train(*cell.trials())
    assert result["diverged"] is True
    errors = [row["test_error"] for row in result["curves"]]
    assert len(errors) < 65
    assert result["best_error"] == min(errors, default=0.9)
    assert updates(trainer) == 2 * (len(errors) + 1)


def test_a_run_that_diverges_skips_further_batch_sizes(make_trainer):
    column = Column("SGD", batch_schedules=(((0, None), (1, 50)),))
    trainer, cell = make_trainer(column, learning_rates=(1e30,))
    assert trainer.train(*cell.trials())["diverged"] is True
    assert updates(trainer) == 2


def test_a_run_that_diverges_keeps_its_best_epoch(make_trainer):
    trainer, cell = make_trainer(epochs=6)
    good = trainer.train(cell.trials()[2])

    def poison(row):
        if row["epoch"] == 3:
            trainer.model.layers[-1].bias.assign([math.inf] * 10)

    result = trainer.train(cell.trials()[2], [AfterEpoch(poison)])
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


def test_an_epoch_without_a_finite_test_loss_is_not_recorded(make_trainer, monkeypatch):
    # The last update of an epoch can break the model unseen by any training batch.
    trainer, cell = make_trainer(learning_rates=(5e-4,))
    monkeypatch.setattr(
        BatchStatistics,
        "on_test_begin",
        lambda self, logs=None: self.model.layers[-1].bias.assign([math.nan] * 10),
    )
    result = trainer.train(*cell.trials())
    assert (result["curves"], result["diverged"]) == ([], True)
    assert updates(trainer) == 2


@pytest.mark.parametrize("clamped", [None, "Bottom", "Top"])
@pytest.mark.parametrize("normalization", ["BN", "BN learnable"])
def test_clamped_layers_stay_at_their_start(clamped, normalization, make_trainer):
    column = Column(
        "X", rule="uSF", normalization=normalization, setting=1, clamped=clamped
    )
    trainer, cell = make_trainer(column)
    hidden, last = layers_of(trainer, AsymDense)
    (norm,) = layers_of(trainer, BatchNormalization)
    learned = [hidden.kernel, hidden.bias, last.kernel, last.bias]
    if normalization == "BN learnable":
        learned += [norm.gain, norm.offset]
    start = [variable.numpy() for variable in learned]
    trainer.train(cell.trials()[1])
    moved = [
        not np.array_equal(variable, before)
        for variable, before in zip(learned, start, strict=True)
    ]
    # The gradient of a bias before a normalization is rounding error or zero.
    del moved[1]
    below, above = clamped != "Top", clamped != "Bottom"
    assert moved == [below, above, above, below, below][: len(moved)]


@pytest.mark.parametrize("normalization", [None, "BN"])
@pytest.mark.parametrize("rule", ["RndF", "uSF"])
def test_if_only_the_last_layer_learns_a_rule_changes_nothing(
    rule, normalization, make_trainer
):
    """So `experiments` runs the Top of all rules once."""
    results = []
    for tested in (rule, "BP"):
        column = Column(
            "X", rule=tested, normalization=normalization, setting=1, clamped="Top"
        )
        trainer, cell = make_trainer(column)
        results.append(trainer.train(cell.trials()[1]))
    assert results[0] == results[1]


# 10 steps an epoch; 10, then 8; 2; a prime number.
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
    column = Column("brSF", rule="brSF", batch_schedules=(schedule,))
    trainer, cell = make_trainer(column, epochs=3, learning_rates=(5e-4, 5e-5))
    for trial in cell.trials():
        trainer.train(trial)
        assert updates(trainer) == expected
        for layer in layers_of(trainer, AsymDense):
            (state,) = layer.feedback.variables
            assert int(state[1]) == expected


def test_v_after_training_is_that_of_the_last_draw(make_trainer, draw_factor):
    column = Column("brSF", rule="brSF")
    trainer, cell = make_trainer(column, batch_size=20)
    assert trainer.model.steps_per_execution > 1
    for layer in layers_of(trainer, AsymDense):
        seed = int(layer.feedback.variables[0][0])
        trainer.train(cell.trials()[2])
        np.testing.assert_array_equal(
            layer.feedback_kernel,
            np.sign(layer.kernel) * draw_factor(layer.kernel.shape, seed, draw=2 * 10),
        )


def test_statistics_are_taken_after_the_epoch(make_trainer, tiny_examples):
    column = Column("BN", normalization="BN")
    trainer, cell = make_trainer(
        column, batch_size=20, statistics_batches=5, statistics_alpha=0.25
    )
    trainer.train(cell.trials()[2])
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
    column = Column("RndF", rule="RndF")
    trainer, cell = make_trainer(column, batch_size=40, alignment_batches=2)
    result = trainer.train(cell.trials()[2])
    hidden, logits = layers_of(trainer, AsymDense)
    w, v = logits.kernel.numpy(), np.asarray(logits.feedback_kernel)
    gradients, errors = [0, 0], ([], [])
    for x, y in itertools.islice(training_batches(tiny_examples, 40, cell.seed), 2):
        x = np.reshape(x, (40, 784)).astype("float64")
        above = x @ hidden.kernel.numpy() + hidden.bias.numpy()
        scores = np.exp(np.maximum(above, 0) @ w + logits.bias.numpy())
        error = scores / scores.sum(axis=1, keepdims=True) - np.eye(10)[y]
        for number, kernel in enumerate((w, v)):
            errors[number].append(error @ kernel.T * (above > 0))
            gradients[number] += x.T @ errors[number][-1]

    def degrees(a, b):
        return pytest.approx(np.degrees(np.arccos(cosine(a, b))), abs=0.05)

    def cosine(a, b):
        return np.vdot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)

    below = hidden.kernel.numpy(), np.asarray(hidden.feedback_kernel)
    assert list(result.pop("alignment").values()) == [
        {"angle": degrees(*below), "gradient_angle": degrees(*gradients)},
        {"angle": degrees(w, v), "gradient_angle": 0.0},
    ]
    of_hidden, of_logits = result["diagnostics"].values()
    assert list(of_hidden) == list(of_logits) == list(MEASURES)
    bp_error, error = map(np.concatenate, errors)
    expected = {
        "error_cosine": cosine(error, bp_error),
        "error_norm_ratio": np.linalg.norm(error) / np.linalg.norm(bp_error),
        "error_rms": np.sqrt(np.mean(error**2)),
        "bp_error_rms": np.sqrt(np.mean(bp_error**2)),
        "gradient_norm_ratio": np.divide(*map(np.linalg.norm, gradients[::-1])),
    }
    assert of_hidden == pytest.approx(of_hidden | expected, rel=1e-3)
    assert of_logits["error_cosine"] == pytest.approx(1, rel=1e-12)
    assert of_logits["gradient_decrease"] == pytest.approx(1, rel=1e-12)
    assert 1 < of_logits["error_effective_rank"] < 10


def test_alignment_and_diagnostics_change_no_training(make_trainer, tiny_examples):
    trainer, cell = make_trainer(EVERYTHING, alignment_batches=1)
    model, trial, states = trainer.model, cell.trials()[2], []

    def note(_=None):
        of_all = [*model.variables, *model.optimizer.variables]
        states.append([variable.numpy() for variable in of_all])

    result = trainer.train(trial, [AfterEpoch(note)])
    note()
    before, after = states[-2:]
    np.testing.assert_equal(after, before)
    assert result.pop("alignment")
    assert result.pop("diagnostics")
    protocol = dataclasses.replace(cell.protocol, alignment_batches=None)
    plain = dataclasses.replace(cell, protocol=protocol)
    assert trainer.take_up(plain, tiny_examples)
    assert alike(result, trainer.train(trial))
    note()
    for value, expected in zip(states[-1], before, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)


def test_undefined_angles_are_none(make_trainer):
    # A frozen layer has no gradient.
    column = Column("X", rule="uSF", clamped="Bottom")
    trainer, cell = make_trainer(column, alignment_batches=1, learning_rates=(5e-5,))
    result = trainer.train(*cell.trials())
    hidden, logits = result["alignment"].values()
    assert 0 < hidden["gradient_angle"] < 180
    assert 0 < logits["angle"] < 90
    assert logits["gradient_angle"] is None
    of_logits = list(result["diagnostics"].values())[1]
    assert of_logits["gradient_norm_ratio"] is of_logits["gradient_decrease"] is None
    assert of_logits["error_norm_ratio"] == 1
    # Direct feedback has no V of a layer's shape.
    column = Column("DFA", rule="DFA")
    trainer, cell = make_trainer(column, alignment_batches=1, learning_rates=(5e-5,))
    result = trainer.train(*cell.trials())
    hidden, logits = result["alignment"].values()
    assert list(result["diagnostics"]) == list(result["alignment"])
    assert 10 < hidden["gradient_angle"] < 170
    assert logits["gradient_angle"] == 0
    assert hidden["angle"] is logits["angle"] is None
    # Alignment is not computed for a run that diverged.
    trainer, cell = make_trainer(alignment_batches=1, learning_rates=(1e30,))
    result = trainer.train(*cell.trials())
    assert result["alignment"] is result["diagnostics"] is None


def test_a_columns_own_weight_decay(make_trainer):
    trainer, _ = make_trainer(Column("KP", rule="KP", weight_decay=0.25))
    assert trainer.model.optimizer.weight_decay == 0.25


def test_mirror_phases_are_run(make_trainer):
    column = Column("WM", rule="WM")
    trainer, cell = make_trainer(column, learning_rates=(5e-5, 5e-6))
    logits = trainer.model.layers[-1]
    seen = []
    for trial in cell.trials():
        trainer.train(trial)
        seen.append(metrics.angle(logits.kernel, logits.feedback_kernel))
    assert max(seen) < 45


def test_the_protocol_and_the_column_reach_the_model(make_trainer):
    column = Column("X", rule="NuSF", normalization="BN", setting=3)
    trainer, _ = make_trainer(
        column,
        kernel_initializer="zeros",
        momentum=0.25,
        weight_decay=0.125,
        normalization_per="element",
        statistics_alpha=0.5,
    )
    optimizer = trainer.model.optimizer
    assert optimizer.setting == 3
    assert optimizer.momentum == 0.25
    assert optimizer.weight_decay == 0.125
    (norm,) = layers_of(trainer, BatchNormalization)
    assert (norm.per, norm.alpha, norm.learnable) == ("element", 0.5, False)
    for layer in layers_of(trainer, AsymDense):
        assert layer.feedback.alias == "NuSF"
        assert not layer.kernel.numpy().any()


def test_the_validation_split_chooses_the_epoch(make_trainer, tiny_examples):
    settings = {"validation_share": 0.2, "epochs": 4, "batch_size": 20}
    trainer, cell = make_trainer(**settings)
    result = trainer.train(cell.trials()[2])
    rows = result["curves"]
    best = min(rows, key=lambda row: row["validation_error"])
    assert result["best_epoch"] == best["epoch"]
    assert result["validation_error"] == best["validation_error"]
    assert result["best_error"] == best["test_error"]

    # The first 4 of each class's 20 examples, on the model after the last epoch.
    x, y = all_examples(tiny_examples.train)
    held = np.concatenate([np.flatnonzero(y == label)[:4] for label in range(10)])
    logits = trainer.model(x[held]).numpy()
    assert rows[-1]["validation_error"] == np.mean(logits.argmax(-1) != y[held])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y[held], logits)
    assert rows[-1]["validation_loss"] == pytest.approx(np.mean(losses), rel=1e-4)
    assert updates(trainer) == 4 * (200 - 40) // 20


def test_without_a_validation_split_results_have_no_validation_error(make_trainer):
    trainer, cell = make_trainer()
    result = trainer.train(cell.trials()[2])
    assert set(result) == {"best_error", "best_epoch", "diverged", "curves"}
    assert not any("validation_error" in row for row in result["curves"])


def test_a_run_that_diverges_at_once_scores_chance_in_validation_too(make_trainer):
    trainer, cell = make_trainer(validation_share=0.2, learning_rates=(1e30,))
    (trial,) = cell.trials()
    result = trainer.train(trial)
    assert result["diverged"]
    assert result["validation_error"] == result["best_error"] == 0.9


def test_augmentation_reaches_the_batches(make_trainer):
    results = []
    for augmentation in (None, "standard", "standard"):
        trainer, cell = make_trainer(augmentation=augmentation)
        results.append(trainer.train(cell.trials()[2]))
    plain, first, again = results
    assert first == again
    assert plain["curves"] != first["curves"]
