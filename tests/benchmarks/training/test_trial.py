import math

import pytest

from keras_asymbp.benchmarks.training import batches
from keras_asymbp.benchmarks.training.observers import Observer
from keras_asymbp.benchmarks.training.trial import Trial


@pytest.fixture
def make(make_cell, tiny, tiny_examples):
    """Makes a trial of the rate 0.5 and three epochs."""

    def make(share=0.0, observers=()):
        cell = make_cell(
            dataset=tiny, epochs=3, learning_rates=(0.5,), validation_share=share
        )
        examples = batches.hold_out(tiny_examples, share)
        return Trial(cell, *cell.trials(), examples, observers)

    return make


def logs(accuracy, loss=2.0):
    return {"loss": 100 * loss, "cross_entropy": loss, "accuracy": accuracy}


def test_rows_and_the_best_epoch(make):
    trial = make()
    assert [trial.rate(epoch) for epoch in range(3)] == pytest.approx(
        [0.5, 0.05, 0.005]
    )
    for epoch, accuracy in enumerate([0.25, 0.7500001, 0.75]):
        trial.add(epoch, logs(0.5, 3.0), logs(accuracy))
    result = trial.finish(alignment=None)
    assert result == trial.result
    assert (result["best_error"], result["best_epoch"]) == (0.25, 2)
    assert (result["diverged"], result["alignment"]) == (False, None)
    assert result["curves"][1] == {
        "epoch": 2,
        "learning_rate": trial.rate(1),
        "train_loss": 3.0,
        "train_error": 0.5,
        "test_loss": 2.0,
        "test_error": 0.25,  # exact, of 100 examples
    }


def test_validation_chooses_the_best_epoch(make):
    trial = make(share=0.2)
    for epoch, (test, validation) in enumerate([(0.9, 0.5), (0.6, 0.75)]):
        trial.add(epoch, logs(0.5), logs(test), logs(validation))
    result = trial.finish()
    assert result["best_epoch"] == 2
    assert result["validation_error"] == 0.25
    assert result["best_error"] == 0.4


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("place", range(4))
def test_a_loss_that_is_not_finite_ends_the_trial(bad, place, make):
    trial = make(share=0.2)
    splits = [logs(0.5, bad if split == place else 2.0) for split in range(3)]
    if place == 3:
        splits[0]["cross_entropy"] = bad
    trial.add(0, *splits)
    assert trial.diverged
    assert trial.finish() == {
        "validation_error": 0.9,
        "best_error": 0.9,
        "best_epoch": None,
        "diverged": True,
        "curves": [],
    }


def test_chance_is_the_score_without_an_epoch(make):
    result = make(share=0.2).finish()
    assert result["best_error"] == result["validation_error"] == 0.9


def test_a_trial_reads_the_model_if_an_observer_does(make):
    reading = Observer()
    reading.reads_model = True
    assert not make(observers=[Observer()]).reads_model
    assert make(observers=[Observer(), reading]).reads_model
