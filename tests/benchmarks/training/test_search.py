import tempfile

import keras_tuner
import pytest

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.training.search import search


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def run():
    """A `run` that returns the given scores, or raises them, and records its trials."""

    def make(scores):
        scores = iter(scores)

        def run(trial):
            run.trials.append(trial)
            score = next(scores)
            if isinstance(score, BaseException):
                raise score
            return score

        run.trials = []
        return run

    return make


def test_one_trial(make_cell, run):
    cell, run = make_cell(learning_rates=(0.5,)), run([0.25])
    search(cell.trials(), run)
    assert run.trials == cell.trials()


def test_trials_of_every_schedule_are_run_in_order(make_cell, run):
    column = Column("uSF+BM", batch_schedules=(((0, None),), ((0, 100), (3, 500))))
    cell, run = make_cell(column), run([number / 16 for number in range(10)])
    search(cell.trials(), run)
    assert len(run.trials) == 10
    assert run.trials == cell.trials()


def test_keras_tuner_gets_the_scores(make_cell, run, monkeypatch):
    scores = []
    update_trial = keras_tuner.Oracle.update_trial

    def watched(self, trial_id, metrics, step=0):
        scores.append(metrics)
        return update_trial(self, trial_id, metrics, step)

    monkeypatch.setattr(keras_tuner.Oracle, "update_trial", watched)
    search(make_cell().trials(), run([0.5, 0.25, 0.75, 0.125, 0.9]))
    assert scores == [{"error": error} for error in (0.5, 0.25, 0.75, 0.125, 0.9)]


@pytest.mark.parametrize(
    "error",
    [
        KeyError("0002"),
        UsageError("no space left"),
        ValueError("bad"),
        RuntimeError("bad"),
        MemoryError(),
        KeyboardInterrupt(),
        SystemExit(3),
    ],
    ids=repr,
)
@pytest.mark.parametrize("before", [0, 2])
def test_an_error_in_a_trial_ends_the_search_and_is_that_error(
    error, before, make_cell, run, scratch, capsys
):
    run = run([0.5] * before + [error])
    with pytest.raises(type(error)) as caught:
        search(make_cell().trials(), run)
    assert caught.value is error
    assert len(run.trials) == before + 1
    assert list(scratch.iterdir()) == []
    assert "Traceback" not in "".join(capsys.readouterr())


def test_nothing_is_printed_or_left_behind(make_cell, run, scratch, capsys):
    search(make_cell().trials(), run([0.5] * 5))
    assert capsys.readouterr() == ("", "")
    assert list(scratch.iterdir()) == []
