"""The search for the learning rate: the runs of a cell, by keras-tuner."""

import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import keras_tuner

from keras_asymbp.benchmarks.tables.cells import TrialSpec
from keras_asymbp.benchmarks.tables.protocol import score


def search(
    trials: Sequence[TrialSpec], run: Callable[[TrialSpec], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Runs the trials of a cell that are missing and returns them, best first.

    keras-tuner's own files go into a folder that is thrown away: what is finished and
    what is not is known to the store alone.

    Args:
        trials: What is to be run, one or more.
        run: Trains a trial; returns what the store is to hold.

    Raises:
        Exception: What `run` raises, at once: no further trial is run.
    """
    by_key = {_key(_values(trial)): trial for trial in trials}
    finished: dict[tuple, dict[str, Any]] = {}

    def run_and_score(values: dict[str, Any]) -> float:
        key = _key(values)
        finished[key] = run(by_key[key])
        return score(finished[key]["result"])

    with tempfile.TemporaryDirectory() as folder:
        tuner = _Tuner(run_and_score, oracle=_InOrder(trials), directory=folder)
        try:
            tuner.search(verbose=0)
        except keras_tuner.errors.FatalError as error:
            raise error.__cause__ or error from None
        best_first = tuner.oracle.get_best_trials(len(trials))
    return [finished[_key(trial.hyperparameters.values)] for trial in best_first]


class _InOrder(keras_tuner.Oracle):
    """Proposes the given trials one after the other."""

    def __init__(self, trials: Sequence[TrialSpec]):
        self._proposals = [_values(trial) for trial in trials]
        hyperparameters = keras_tuner.HyperParameters()
        for name in self._proposals[0]:
            choices = dict.fromkeys(proposal[name] for proposal in self._proposals)
            hyperparameters.Choice(name, list(choices))
        super().__init__(
            objective=keras_tuner.Objective("error", direction="min"),
            max_trials=len(trials),
            hyperparameters=hyperparameters,
        )

    def populate_space(self, trial_id):
        return {
            "status": keras_tuner.engine.trial.TrialStatus.RUNNING,
            "values": self._proposals[len(self.start_order)],
        }


class _Tuner(keras_tuner.Tuner):
    """Scores a trial by training the cell's model, which is built once for all."""

    def __init__(self, score: Callable[[dict[str, Any]], float], **kwargs):
        super().__init__(hypermodel=lambda hyperparameters: None, **kwargs)
        self._score = score

    def run_trial(self, trial, *args, **kwargs):
        try:
            return {"error": self._score(trial.hyperparameters.values)}
        except Exception as error:
            # Any other error keras-tuner would take for a bad trial, and go on.
            raise keras_tuner.errors.FatalError(str(error)) from error


def _values(trial: TrialSpec) -> dict[str, Any]:
    """A trial as keras-tuner has it, whose values are numbers and strings."""
    return {
        "learning_rate": trial.learning_rate,
        "batch_schedule": str(trial.batch_schedule),
    }


def _key(values: dict[str, Any]) -> tuple:
    return values["learning_rate"], values["batch_schedule"]
