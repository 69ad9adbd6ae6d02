"""The search for the learning rate: five runs of a cell, by keras-tuner."""

import tempfile
from collections.abc import Callable
from typing import Any

import keras_tuner

from keras_asymbp.benchmarks.cells import Cell, TrialSpec


def search(
    cell: Cell, run: Callable[[TrialSpec], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Runs every trial of a cell and returns them, best first.

    keras-tuner's own files go into a folder that is thrown away: what is finished and
    what is not is known to the store alone, which `run` asks.

    Args:
        cell: The cell.
        run: Trains a trial, or finds it in the store; returns what the store holds.
    """
    trials = cell.trials()
    finished: dict[int, dict[str, Any]] = {}

    def run_numbered(number: int) -> float:
        finished[number] = run(trials[number])
        return finished[number]["result"]["best_error"]

    with tempfile.TemporaryDirectory() as folder:
        tuner = _Tuner(
            run_numbered, oracle=_InOrder(len(trials)), directory=folder, overwrite=True
        )
        try:
            tuner.search(verbose=0)
        except keras_tuner.errors.FatalError as error:
            raise error.__cause__ or error from None
        best_first = tuner.oracle.get_best_trials(len(trials))
    return [finished[trial.hyperparameters.get("trial")] for trial in best_first]


class _InOrder(keras_tuner.Oracle):
    """Proposes the trials one after the other."""

    def __init__(self, count: int):
        hyperparameters = keras_tuner.HyperParameters()
        hyperparameters.Choice("trial", list(range(count)))
        super().__init__(
            objective=keras_tuner.Objective("error", direction="min"),
            max_trials=count,
            hyperparameters=hyperparameters,
            # A trial that can't be run ends the search and says why.
            max_retries_per_trial=0,
            max_consecutive_failed_trials=1,
        )

    def populate_space(self, trial_id):
        number = len(self.start_order)
        return {
            "status": keras_tuner.engine.trial.TrialStatus.RUNNING,
            "values": {"trial": number},
        }


class _Tuner(keras_tuner.Tuner):
    """Scores a trial by running it; the model is the caller's, built once."""

    def __init__(self, run: Callable[[int], float], **kwargs):
        super().__init__(hypermodel=lambda hyperparameters: None, **kwargs)
        self._run = run

    def run_trial(self, trial, *args, **kwargs):
        try:
            return {"error": self._run(trial.hyperparameters.get("trial"))}
        except Exception as error:
            # Any other error keras-tuner would take for a bad trial, and go on.
            raise keras_tuner.errors.FatalError(str(error)) from error
