"""Observers of training, such as TensorBoard's events and the display of progress."""

import contextlib
from collections.abc import Sequence
from typing import Any

from keras_asymbp.benchmarks.tables.cells import Cell, TrialSpec


class Observer:
    """Watches a trial as it trains; ignores everything by default.

    It may watch another one after it. An exception in any method ends the trial, and
    those that train together with it.

    Attributes:
        reads_model: Whether `epoch` reads the model. Only then the model is sure to
            have the trial's weights there: together with others, a trial trains
            outside of it.
    """

    reads_model = False

    def begin(self, cell: Cell, trial: TrialSpec, model: Any) -> None:
        """Called before training.

        Args:
            cell: The cell.
            trial: The trial.
            model: The model, with its first weights.
        """

    def epoch(self, row: dict[str, Any]) -> None:
        """Called after each epoch with its row of the curves; see `Trainer.train`."""

    def end(self, result: dict[str, Any] | None) -> None:
        """Called last, even if `begin` failed, to release resources.

        Args:
            result: What `Trainer.train` returns; None if an exception ended the trial.
        """


class Observers(Observer):
    """Several observers as one, called in their order."""

    def __init__(self, observers: Sequence[Observer]):
        self._observers = observers
        self.reads_model = any(observer.reads_model for observer in observers)

    def begin(self, cell, trial, model):
        for observer in self._observers:
            observer.begin(cell, trial, model)

    def epoch(self, row):
        for observer in self._observers:
            observer.epoch(row)

    def end(self, result):
        # Each one ends, even if another fails.
        with contextlib.ExitStack() as ends:
            for observer in reversed(self._observers):
                ends.callback(observer.end, result)
