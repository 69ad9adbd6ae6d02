"""A trial as it trains: its rates, its curves and its observers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from keras_asymbp.benchmarks.tables.cells import Cell, TrialSpec
from keras_asymbp.benchmarks.tables.protocol import chance_error
from keras_asymbp.benchmarks.training.batches import Examples
from keras_asymbp.benchmarks.training.observers import Observer, Observers


class Trial:
    """Records a row for each epoch; a loss that is not finite ends the trial.

    So every number of a result is finite, as a stored one must be.

    Args:
        cell: The cell.
        spec: Learning rate and batch sizes.
        examples: The cell's data.
        observers: Notified as the trial begins, after each epoch, and at the end.

    Attributes:
        diverged: Whether a loss was not finite; no row is added after that.
        result: What `finish` has returned, or None.
    """

    def __init__(
        self,
        cell: Cell,
        spec: TrialSpec,
        examples: Examples,
        observers: Sequence[Observer] = (),
    ):
        self._cell, self._spec, self._examples = cell, spec, examples
        self._observer = Observers(observers)
        self._rows: list[dict[str, Any]] = []
        self.diverged = False
        self.result: dict[str, Any] | None = None

    @property
    def reads_model(self) -> bool:
        """Whether `add` needs the trial's weights in the model, for an observer."""
        return self._observer.reads_model

    def rate(self, epoch: int) -> float:
        """The learning rate in an epoch, counted from 0."""
        return self._spec.learning_rate * self._cell.protocol.rate_factor(epoch)

    def begin(self, model: Any) -> None:
        """Notifies the observers; the model has its first weights."""
        self._observer.begin(self._cell, self._spec, model)

    def add(
        self,
        epoch: int,
        train: Mapping[str, float],
        test: Mapping[str, float],
        validation: Mapping[str, float] | None = None,
    ) -> None:
        """Adds an epoch, by Keras's logs on each split, and notifies the observers.

        Args:
            epoch: The epoch, counted from 0.
            train: `loss`, `cross_entropy` and `accuracy` of the training batches.
            test: Those on the test examples.
            validation: Those on the validation examples, if there are any.
        """
        splits = [logs for logs in (train, test, validation) if logs is not None]
        losses = [train["loss"], *(logs["cross_entropy"] for logs in splits)]
        if not all(map(math.isfinite, losses)):
            self.diverged = True
            return
        row = {
            "epoch": epoch + 1,
            "learning_rate": self.rate(epoch),
            "train_loss": train["cross_entropy"],
            "train_error": 1 - train["accuracy"],
            "test_loss": test["cross_entropy"],
            "test_error": _error(test, self._examples.test),
        }
        if validation is not None:
            row["validation_loss"] = validation["cross_entropy"]
            row["validation_error"] = _error(validation, self._examples.validation)
        self._rows.append(row)
        self._observer.epoch(row)

    def finish(self, **more: Any) -> dict[str, Any]:
        """Returns the result: that of the best epoch, the curves, and `more`."""
        held_out = self._examples.validation is not None
        criterion = "validation_error" if held_out else "test_error"
        best = min(self._rows, key=lambda row: row[criterion], default=None)
        chance = chance_error(self._cell.dataset.num_classes)
        self.result = {
            **({criterion: best[criterion] if best else chance} if held_out else {}),
            "best_error": best["test_error"] if best else chance,
            "best_epoch": best["epoch"] if best else None,
            "diverged": self.diverged,
            "curves": self._rows,
            **more,
        }
        return self.result

    def end(self) -> None:
        """Notifies the observers of the result, or that there is none."""
        self._observer.end(self.result)


def _error(logs, split):
    """The exact share of a split's examples; Keras's accuracies are float32."""
    return round((1 - logs["accuracy"]) * len(split)) / len(split)
