"""Observers of training, such as TensorBoard's events and the display of progress."""

import contextlib
from collections.abc import Sequence
from typing import Any

from keras_asymbp.benchmarks.tables.cells import Cell, TrialSpec


class Observer:
    """Watches trials as they train, one after another; ignores everything by default.

    An exception in any method ends the trial.
    """

    def begin(self, cell: Cell, trial: TrialSpec, model: Any) -> None:
        """Called before training.

        Args:
            cell: The cell.
            trial: The trial.
            model: The model, with its first weights; training updates it in place.
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
