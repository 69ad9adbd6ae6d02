import keras
import pytest

from keras_asymbp.benchmarks.networks import FC, NETWORKS, Conv, Dropout, Network, Pool
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.training import batches
from keras_asymbp.benchmarks.training.observers import Observer
from keras_asymbp.benchmarks.training.trainer import Trainer
from keras_asymbp.layers import asymmetric_layers

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="lanes are a program of JAX"
)


@pytest.fixture
def make(make_cell, tiny, tiny_examples):
    """Makes a trainer and its cell; further keywords are settings."""

    def make(column, **settings):
        settings = {"epochs": 3, "learning_rates": (5e-4, 5e-5, 5e-6)} | settings
        cell = make_cell(column, tiny, **settings)
        examples = batches.hold_out(tiny_examples, cell.protocol.validation_share)
        return Trainer(cell, examples, whole_epochs=True), cell

    return make


def in_lanes(trainer, trials):
    return trainer.train_together(trials, [()] * len(trials))


def check(trainer, trials, assert_alike):
    """Trains trials in lanes and alone, and compares results and weights."""
    results = in_lanes(trainer, trials)
    together = trainer.model.get_weights()
    for trial, result in zip(trials, results, strict=True):
        expected = trainer.train(trial)
        rows, others = (each.pop("curves") for each in (result, expected))
        assert [pytest.approx(row, rel=1e-4) for row in rows] == others
        for name in ("alignment", "diagnostics"):
            layers = [each.pop(name, None) for each in (result, expected)]
            if layers[0]:
                for ours, theirs in zip(*map(dict.values, layers), strict=True):
                    assert ours == pytest.approx(theirs, rel=1e-3)
        assert result == expected
    # The last lane is in the model, as is the last trial.
    assert_alike(together, trainer.model.get_weights())


COLUMNS = [
    Column("SGD"),
    Column("brSF+BN", rule="brSF", normalization="BN"),
    Column("uSF+BM", rule="uSF", setting=1),
    Column("batches", rule="brSF", batch_schedules=(((0, None), (1, 50)),)),
    Column("KP", rule="KP", weight_decay=0.1),
    Column("RndF Top", rule="RndF", normalization="BN learnable", clamped="Top"),
    Column("ISR", rule="InitSignedRandom"),
    Column("Lion", rule="uSF", optimizer="Lion"),
    Column("Muon", rule="brSF", optimizer="Muon"),
]


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_a_lane_is_its_trial_alone(column, make, assert_alike):
    trainer, cell = make(column)
    check(trainer, cell.trials(), assert_alike)


def test_convolutions_pooling_and_dropout(make, assert_alike, monkeypatch):
    layers = Conv(4, 5, 2), Pool("max", 2), Dropout(0.25), FC(16)
    network = Network((28, 28, 1), layers)
    monkeypatch.setitem(NETWORKS, "tiny", network)
    trainer, cell = make(Column("frSF", rule="frSF"), batch_size=20)  # 30 updates
    check(trainer, cell.trials(), assert_alike)


def test_dropout_with_statistics(make, assert_alike, monkeypatch):
    network = Network((28, 28, 1), (FC(16), Dropout(0.25)))
    monkeypatch.setitem(NETWORKS, "tiny", network)
    trainer, cell = make(
        Column("uSF+BN", rule="uSF", normalization="BN"), statistics_batches=3
    )
    check(trainer, cell.trials(), assert_alike)


def test_augmentation_a_validation_split_and_alignment(make, assert_alike):
    trainer, cell = make(
        Column("uSF+BN", rule="uSF", normalization="BN"),
        augmentation="standard",
        validation_share=0.2,
        alignment_batches=1,
        statistics_batches=3,
        batch_size=30,  # the statistics' last batch of 160 is smaller
    )
    check(trainer, cell.trials(), assert_alike)


def test_a_lane_that_diverges_ends_and_leaves_the_others_alone(make):
    trainer, cell = make(Column("brSF", rule="brSF"), learning_rates=(1e30, 5e-4, 5e-5))
    _, *others = cell.trials()
    ended, *results = in_lanes(trainer, cell.trials())
    assert ended == {
        "best_error": 0.9,
        "best_epoch": None,
        "diverged": True,
        "curves": [],
    }
    assert results == in_lanes(trainer, [others[0], *others])[1:]
    assert [len(result["curves"]) for result in results] == [3, 3]


def test_a_lane_that_diverges_later_keeps_its_rows(make):
    trainer, cell = make(
        Column("SGD"), epochs=65, learning_rates=(1e6, 1e30), alignment_batches=1
    )
    late, at_once = results = in_lanes(trainer, cell.trials())
    assert [result["diverged"] for result in results] == [True, True]
    assert [result["alignment"] for result in results] == [None, None]
    assert at_once["curves"] == []
    assert len(late["curves"]) == len(trainer.train(cell.trials()[0])["curves"]) < 65
    # The program stopped there: 2 updates an epoch.
    in_lanes(trainer, cell.trials())
    assert int(trainer.model.optimizer.iterations) == 2 * (len(late["curves"]) + 1)


def test_feedback_is_redrawn_after_each_update(make):
    trainer, cell = make(Column("brSF", rule="brSF"))
    in_lanes(trainer, cell.trials())
    draws = [int(x.feedback.draw_number) for x in asymmetric_layers(trainer.model)]
    assert draws == [3 * 2] * 2


class Watching(Observer):
    """Records its calls, and the biases of the last layer if it reads the model."""

    def __init__(self, reads_model, fails=False):
        self.reads_model, self._fails = reads_model, fails
        self.calls, self.biases = [], []

    def begin(self, cell, trial, model):
        self.calls.append(("begin", cell, trial))
        self._model = model

    def epoch(self, row):
        self.calls.append(("epoch", row))
        self.biases.append(self._model.layers[-1].bias.numpy())
        if self._fails:
            raise KeyboardInterrupt

    def end(self, result):
        self.calls.append(("end", result))


@pytest.mark.parametrize("reads_model", [True, False])
def test_each_trial_has_its_observers(reads_model, make, assert_alike):
    trainer, cell = make(Column("SGD"), epochs=2)
    specs = cell.trials()
    together, alone = ([Watching(reads_model) for _ in specs] for _ in range(2))
    results = trainer.train_together(specs, [[each] for each in together])
    for spec, each in zip(specs, alone, strict=True):
        trainer.train(spec, [each])
    for spec, ours, result in zip(specs, together, results, strict=True):
        assert ours.calls == [
            ("begin", cell, spec),
            *(("epoch", row) for row in result["curves"]),
            ("end", result),
        ]
    if reads_model:
        for ours, expected in zip(together, alone, strict=True):
            assert_alike(ours.biases, expected.biases)


def test_an_exception_ends_all_trials_of_a_program(make):
    trainer, cell = make(Column("SGD"))
    observers = [Watching(False), Watching(False, fails=True), Watching(False)]
    with pytest.raises(KeyboardInterrupt):
        trainer.train_together(cell.trials(), [[each] for each in observers])
    assert [each.calls[-1] for each in observers] == [("end", None)] * 3


def test_rates_seeds_and_epochs_share_one_program(
    make, make_cell, tiny, tiny_examples, count_jax_traces
):
    column = Column("brSF+BN", rule="brSF", normalization="BN")
    trainer, cell = make(column, epochs=4)  # of three rates
    traces = count_jax_traces(trainer.model)
    in_lanes(trainer, cell.trials())
    once = len(traces)
    assert once
    other = make_cell(column, tiny, 1, epochs=4)
    assert trainer.take_up(other, tiny_examples)
    in_lanes(trainer, other.trials()[1:4])
    assert len(traces) == once


def test_mirror_phases_need_trials_one_by_one(make, make_cell, tiny, tiny_examples):
    assert not make(Column("WM", rule="WM"))[0].has_lanes
    assert make(Column("SGD"))[0].has_lanes
    assert not Trainer(make_cell(Column("SGD"), tiny), tiny_examples).has_lanes
