import keras
import numpy as np
import pytest

from keras_asymbp import BatchStatistics, metrics
from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.networks import NETWORKS, Network, Transformer
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.training import batches
from keras_asymbp.benchmarks.training.batches import Examples
from keras_asymbp.benchmarks.training.trainer import Trainer

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="an epoch is one program on JAX only"
)


@pytest.fixture
def train(make_cell, tiny, tiny_examples):
    """Trains a cell's trial of the middle rate in both ways; returns both results."""

    def train(column, **settings):
        cell = make_cell(column, tiny, **{"epochs": 3} | settings)
        examples = batches.hold_out(tiny_examples, cell.protocol.validation_share)
        ways = [Trainer(cell, examples, whole) for whole in (False, True)]
        trial = cell.trials()[2]
        results = [trainer.train(trial) for trainer in ways]
        weights = [trainer.model.get_weights() for trainer in ways]
        return results, weights

    return train


COLUMNS = [
    Column("SGD"),
    Column("brSF+BN", rule="brSF", normalization="BN"),
    # Not with BN: the bias in front of it moves by the signs of rounding errors.
    Column("uSF+BM", rule="uSF", setting=1),
    Column("brSF batches", rule="brSF", batch_schedules=(((0, None), (1, 50)),)),
    Column("WM", rule="WM"),
    Column("KP", rule="KP", weight_decay=0.1),
    Column("RndF Top", rule="RndF", normalization="BN learnable", clamped="Top"),
]


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_a_program_of_an_epoch_is_its_steps(column, train, assert_alike):
    results, weights = train(column)
    by_steps, by_epochs = results
    assert by_epochs.keys() == by_steps.keys()
    assert by_epochs["best_epoch"] == by_steps["best_epoch"]
    for ours, expected in zip(by_epochs["curves"], by_steps["curves"], strict=True):
        assert ours == pytest.approx(expected, rel=1e-4)
    assert_alike(*weights)


def test_symbols_and_layers_that_are_never_called(make_cell, monkeypatch):
    # `MultiHeadAttention` has a softmax for the scores that it may not need.
    network = Network((32, 36), (Transformer(units=8, heads=2, blocks=1),))
    monkeypatch.setitem(NETWORKS, "transformer", network)
    sonnets = datasets.get("sonnets")
    whole = sonnets.load()
    arrays = datasets.Arrays(
        *(whole.x_train[:300], whole.y_train[:300]),
        *(whole.x_test[:100], whole.y_test[:100]),
    )
    column = Column("uSF", rule="uSF", optimizer="Adam", learning_rates=(1e-2,))
    cell = make_cell(column, sonnets, epochs=2)
    examples = batches.prepare(arrays, 1 / 255)
    by_steps, by_epochs = (
        Trainer(cell, examples, whole).train(cell.trials()[0])["curves"]
        for whole in (False, True)
    )
    for ours, expected in zip(by_epochs, by_steps, strict=True):
        assert ours == pytest.approx(expected, rel=1e-4)


def test_augmented_images_and_a_validation_split(train):
    settings = {"augmentation": "standard", "validation_share": 0.2}
    (by_steps, by_epochs), _ = train(Column("uSF", rule="uSF"), **settings)
    assert "validation_loss" in by_epochs["curves"][0]
    for ours, expected in zip(by_epochs["curves"], by_steps["curves"], strict=True):
        assert ours == pytest.approx(expected, rel=1e-4)


def test_the_last_batch_of_an_evaluation_may_be_smaller(
    make_cell, tiny, tiny_examples, monkeypatch
):
    monkeypatch.setattr(batches, "EVALUATION_BATCH", 30)  # of 100
    cell = make_cell(Column("SGD"), tiny, epochs=2)
    curves = [
        Trainer(cell, tiny_examples, whole).train(cell.trials()[2])["curves"]
        for whole in (False, True)
    ]
    for ours, expected in zip(*reversed(curves), strict=True):
        assert ours == pytest.approx(expected, rel=1e-4)


def test_a_rate_that_diverges_scores_chance_and_leaves_the_next_alone(
    make_cell, tiny, tiny_examples
):
    cell = make_cell(
        Column("brSF", rule="brSF"), tiny, epochs=2, learning_rates=(1e30, 5e-4)
    )
    trainer = Trainer(cell, tiny_examples, whole_epochs=True)
    diverging, other = cell.trials()
    expected = trainer.train(other)
    assert trainer.train(diverging) == {
        "best_error": 0.9,
        "best_epoch": None,
        "diverged": True,
        "curves": [],
    }
    assert trainer.train(other) == expected


def test_rates_seeds_and_epochs_share_one_program(
    make_cell, tiny, tiny_examples, count_jax_traces
):
    column = Column("brSF+BN", rule="brSF", normalization="BN")
    cells = [make_cell(column, tiny, seed, epochs=3) for seed in (0, 1)]
    trainer = Trainer(cells[0], tiny_examples, whole_epochs=True)
    traces = count_jax_traces(trainer.model)
    trainer.train(cells[0].trials()[0])
    once = len(traces)
    assert once
    for cell in cells:
        assert trainer.take_up(cell, tiny_examples)
        for trial in cell.trials()[1:3]:
            trainer.train(trial)
    assert len(traces) == once


def test_other_examples_are_moved_to_the_device(make_cell, tiny, tiny_examples):
    cell = make_cell(Column("SGD"), tiny, epochs=1)
    turned = Examples(
        tiny_examples.train.part(np.arange(199, -1, -1)),
        tiny_examples.test.part(np.arange(50)),
    )
    trainer = Trainer(cell, tiny_examples, whole_epochs=True)
    first = trainer.train(cell.trials()[2])
    assert trainer.take_up(cell, turned)
    found = trainer.train(cell.trials()[2])
    assert found != first
    assert found == Trainer(cell, turned, whole_epochs=True).train(cell.trials()[2])


def test_statistics_and_alignment_are_those_of_the_trained_model(
    make_cell, tiny, tiny_examples
):
    column = Column("uSF+BN", rule="uSF", normalization="BN")
    cell = make_cell(column, tiny, epochs=2, alignment_batches=1)
    trainer = Trainer(cell, tiny_examples, whole_epochs=True)
    result = trainer.train(cell.trials()[2])
    model = trainer.model
    (norm,) = [x for x in model.layers if hasattr(x, "moving_mean")]
    before = norm.moving_mean.numpy()
    statistics = BatchStatistics(
        batches.statistics_batches(tiny_examples, 100, 20, cell.seed)
    )
    statistics.set_model(model)
    statistics.on_test_begin()
    np.testing.assert_allclose(norm.moving_mean.numpy(), before, rtol=1e-4, atol=1e-5)
    for name, quantities in metrics.alignment(model).items():
        assert result["alignment"][name]["angle"] == pytest.approx(
            quantities["angle"], rel=1e-4
        )
