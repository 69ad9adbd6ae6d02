"""The search for the learning rate: keras-tuner runs the trials of a cell."""

import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import keras_tuner

from keras_asymbp.benchmarks.tables.cells import TrialSpec


def search(trials: Sequence[TrialSpec], run: Callable[[TrialSpec], float]) -> None:
    """Runs trials of a cell in their order; their scores are keras-tuner's objective.

    No ranking is returned: these may be only the cell's missing trials, and the table
    picks the best of all that are stored. keras-tuner's own files go into a temporary
    folder.

    Args:
        trials: The trials to run, at least one.
        run: Trains a trial and returns its score; see `protocol.score`.

    Raises:
        Exception: Any error of `run`, at once: no further trial is run.
    """
    by_key = {_key(_values(trial)): trial for trial in trials}
    with tempfile.TemporaryDirectory() as folder:
        tuner = _Tuner(
            lambda values: run(by_key[_key(values)]),
            oracle=_InOrder(trials),
            directory=folder,
        )
        try:
            tuner.search(verbose=0)
        except keras_tuner.errors.FatalError as error:
            raise error.__cause__ or error from None


class _InOrder(keras_tuner.Oracle):
    """Proposes the given trials one after another."""

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
    """Scores a proposal by a function; builds no model, as the trainer has one."""

    def __init__(self, score: Callable[[dict[str, Any]], float], **kwargs):
        super().__init__(hypermodel=lambda hyperparameters: None, **kwargs)
        self._score = score

    def run_trial(self, trial, *args, **kwargs):
        try:
            return {"error": self._score(trial.hyperparameters.values)}
        except Exception as error:
            # keras-tuner takes any other error for a bad trial and continues.
            raise keras_tuner.errors.FatalError(str(error)) from error


def _values(trial: TrialSpec) -> dict[str, Any]:
    """A trial's hyperparameters: keras-tuner's values are numbers and strings."""
    return {
        "learning_rate": trial.learning_rate,
        "batch_schedule": str(trial.batch_schedule),
    }


def _key(values: dict[str, Any]) -> tuple:
    return values["learning_rate"], values["batch_schedule"]
