"""Trains a model with one learning rate, as the protocol says."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import keras

from keras_asymbp import metrics
from keras_asymbp.benchmarks.tables.cells import Cell, TrialSpec
from keras_asymbp.benchmarks.tables.protocol import chance_error
from keras_asymbp.benchmarks.training import build
from keras_asymbp.benchmarks.training.batches import (
    Examples,
    batches_per_epoch,
    statistics_batches,
    training_batches,
)
from keras_asymbp.benchmarks.training.feeding import BatchByBatch
from keras_asymbp.benchmarks.training.observers import Observer, Observers
from keras_asymbp.callbacks import BatchStatistics, MirrorFeedback, RedrawFeedback
from keras_asymbp.optimizers import BatchManhattan

# Upper limit for Keras's `steps_per_execution`; redraws are exact for any value.
_STEPS_PER_EXECUTION = 10


class Trainer:
    """A model, built and compiled once for all cells with the same graph.

    Every trial of a cell starts from the same first weights and state.

    Args:
        cell: The first cell to train.
        examples: Its data.
        whole_epochs: Whether an epoch is one program, which needs JAX; see
            `EpochProgram`.

    Attributes:
        model: The compiled model, at its cell's start or as the last trial left it.
    """

    def __init__(self, cell: Cell, examples: Examples, whole_epochs: bool = False):
        protocol = cell.protocol
        self._graph = _graph(cell, examples)
        self.model = _build(cell)
        self.model.compile(
            BatchManhattan(
                momentum=protocol.momentum,
                weight_decay=cell.weight_decay,
                setting=cell.column.setting,
            ),
            # Summed over the mini-batch, as in equation 3.
            loss=keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, reduction="sum"
            ),
            metrics=[
                "accuracy",
                # Averaged over examples, for the curves.
                keras.metrics.SparseCategoricalCrossentropy(
                    from_logits=True, name="cross_entropy"
                ),
            ],
            # One step of `fit` is an epoch already.
            steps_per_execution=1
            if whole_epochs
            else _steps_per_execution(cell, examples),
        )
        self._feeder = _feeder(self.model, whole_epochs)
        self._mirror = MirrorFeedback()
        optimizer = self.model.optimizer
        optimizer.build(self.model.trainable_variables)
        self._optimizer_start = _values(optimizer.variables)
        self._take_up(cell, examples, self.model)

    def take_up(self, cell: Cell, examples: Examples) -> bool:
        """Takes up another cell if its graph is the same; returns whether it is.

        Cells that differ only in the seed, for example, reuse the traced graph.
        """
        if _graph(cell, examples) != self._graph:
            return False
        self._take_up(cell, examples, _build(cell))
        self._restart()
        return True

    def _take_up(self, cell, examples, model):
        """Makes the state of `model`, untrained, the start of the cell's trials."""
        self._cell, self._examples = cell, examples
        self._test = self._feeder.evaluation(examples.test)
        protocol = cell.protocol
        batches = statistics_batches(
            examples, protocol.batch_size, protocol.statistics_batches, cell.seed
        )
        if model is self.model:
            self._statistics = BatchStatistics(batches)
        else:
            self._statistics.batches = batches
        self._variables = [*self.model.variables, *self.model.optimizer.variables]
        self._start = _values(model.variables) + self._optimizer_start

    def _restart(self):
        for variable, value in zip(self._variables, self._start, strict=True):
            variable.assign(value)

    def train(
        self, trial: TrialSpec, observers: Sequence[Observer] = ()
    ) -> dict[str, Any]:
        """Trains from the cell's start; returns the result as it is stored.

        Args:
            trial: Learning rate and batch sizes.
            observers: Notified as the trial begins, after each epoch, and at the end.

        Returns:
            `best_error` (the lowest test error of all epochs, a share; chance if no
            epoch was finished), `best_epoch` (from 1, or None), `diverged`, and
            `curves`, one row an epoch: losses are mean cross-entropies, errors are
            shares.
            With a validation split the best epoch is that of the lowest
            `validation_error`, which is also returned, and `best_error` is the test
            error of that epoch.
            With `Protocol.alignment_batches` also `alignment` after the last epoch:
            for each layer, bottom first, the `angle` between W and V and the
            `gradient_angle` between its kernel's gradient and backpropagation's, in
            degrees; an undefined angle is None, as is `alignment` of a run that
            diverged.
        """
        self._restart()
        observer = Observers(observers)
        result = None
        try:
            observer.begin(self._cell, trial, self.model)
            result = self._train(trial, observer)
        finally:
            observer.end(result)
        return result

    def _train(self, trial, observer):
        cell, model = self._cell, self.model
        examples, feeder = self._examples, self._feeder
        held_out = examples.validation and feeder.evaluation(examples.validation)
        curves = _Curves(cell, trial, examples, held_out, observer)
        ends = [epoch for epoch, _ in trial.batch_schedule[1:]] + [cell.protocol.epochs]
        for (first, batch_size), end in zip(trial.batch_schedule, ends, strict=True):
            end = min(end, cell.protocol.epochs)
            if first >= end or curves.diverged:
                continue
            model.fit(
                feeder.training(
                    examples, batch_size, cell.seed, first, cell.protocol.augmentation
                ),
                steps_per_epoch=1
                if feeder.whole_epochs
                else batches_per_epoch(examples, batch_size),
                initial_epoch=first,
                epochs=end,
                validation_data=self._test,
                shuffle=False,
                verbose=0,
                callbacks=[
                    _Schedule(cell, trial),
                    RedrawFeedback(),
                    self._mirror,
                    self._statistics,
                    curves,
                ],
            )
        return curves.result() | self._alignment(curves.diverged)

    def _alignment(self, diverged):
        protocol = self._cell.protocol
        if protocol.alignment_batches is None:
            return {}
        if diverged:
            return {"alignment": None}
        batches = training_batches(self._examples, protocol.batch_size, self._cell.seed)
        gradients = metrics.gradient_angles(
            self.model, itertools.islice(batches, protocol.alignment_batches)
        )
        direct = self._cell.column.feedback == build.DIRECT
        return {
            "alignment": {
                layer: {
                    # Direct feedback bypasses the layers' own V.
                    "angle": None if direct else _finite(quantities["angle"]),
                    "gradient_angle": _finite(gradients.get(layer)),
                }
                for layer, quantities in metrics.alignment(self.model).items()
            }
        }


def _values(variables):
    return [variable.numpy() for variable in variables]


def _error(accuracy, split):
    """The exact share of a split's examples; Keras's accuracies are float32."""
    return round((1 - accuracy) * len(split)) / len(split)


def _finite(value):
    """The value if it is a finite number, which JSON can hold; else None."""
    return value if value is not None and math.isfinite(value) else None


def _build(cell):
    """The cell's model, untrained, with weights and feedback drawn from its seed."""
    keras.utils.set_random_seed(cell.seed)
    return build.build(
        cell.network,
        cell.dataset.num_classes,
        feedback=cell.column.feedback,
        normalization=cell.column.normalization,
        clamped=cell.column.clamped,
        kernel_initializer=cell.protocol.kernel_initializer,
        normalization_per=cell.protocol.normalization_per,
        normalization_alpha=cell.protocol.statistics_alpha,
        scale=cell.column.scale,
        seed=cell.seed,
    )


def _feeder(model, whole_epochs):
    if not whole_epochs:
        return BatchByBatch()
    from keras_asymbp.benchmarks.training.epoch_program import EpochProgram

    return EpochProgram(model)


def _graph(cell, examples):
    """Everything that is compiled into the graph; the rest is variables and data."""
    column, protocol = cell.column, cell.protocol
    return (
        *(cell.network, cell.dataset.num_classes),
        *(column.feedback, column.normalization, column.setting, column.clamped),
        column.scale,
        *(protocol.momentum, cell.weight_decay),
        *(protocol.normalization_per, protocol.statistics_alpha),
        _steps_per_execution(cell, examples),
    )


def _steps_per_execution(cell, examples):
    """The largest allowed divisor of all epochs' steps: Keras ends no call early."""
    steps = math.gcd(
        *(
            batches_per_epoch(examples, batch_size)
            for trial in cell.trials()
            for _, batch_size in trial.batch_schedule
        )
    )
    return max(n for n in range(1, _STEPS_PER_EXECUTION + 1) if steps % n == 0)


class _Schedule(keras.callbacks.Callback):
    """Sets each epoch's learning rate."""

    def __init__(self, cell, trial):
        super().__init__()
        self._cell, self._trial = cell, trial

    def on_epoch_begin(self, epoch, logs=None):
        factor = self._cell.protocol.rate_factor(epoch)
        self.model.optimizer.learning_rate = self._trial.learning_rate * factor


class _Curves(keras.callbacks.Callback):
    """Records a row for each epoch; a loss that is not finite ends the run."""

    def __init__(self, cell, trial, examples, held_out, observer):
        super().__init__()
        self._cell, self._trial = cell, trial
        self._examples, self._held_out = examples, held_out
        self._observer = observer
        self._rows = []
        self.diverged = False

    def on_train_batch_end(self, batch, logs=None):
        if not math.isfinite(logs["loss"]):
            self._end()

    def on_epoch_end(self, epoch, logs=None):
        if self.diverged or not math.isfinite(logs["val_cross_entropy"]):
            return self._end()
        factor = self._cell.protocol.rate_factor(epoch)
        row = {
            "epoch": epoch + 1,
            "learning_rate": self._trial.learning_rate * factor,
            "train_loss": logs["cross_entropy"],
            "train_error": 1 - logs["accuracy"],
            "test_loss": logs["val_cross_entropy"],
            "test_error": _error(logs["val_accuracy"], self._examples.test),
            **self._validation(),
        }
        self._rows.append(row)
        self._observer.epoch(row)

    def _validation(self):
        """Loss and error on the validation split, if there is one."""
        if self._held_out is None:
            return {}
        logs = self.model.evaluate(self._held_out, verbose=0, return_dict=True)
        return {
            "validation_loss": logs["cross_entropy"],
            "validation_error": _error(logs["accuracy"], self._examples.validation),
        }

    def _end(self):
        self.diverged = True
        self.model.stop_training = True

    def result(self):
        held_out = self._held_out is not None
        criterion = "validation_error" if held_out else "test_error"
        best = min(self._rows, key=lambda row: row[criterion], default=None)
        chance = chance_error(self._cell.dataset.num_classes)
        return {
            **({criterion: best[criterion] if best else chance} if held_out else {}),
            "best_error": best["test_error"] if best else chance,
            "best_epoch": best["epoch"] if best else None,
            "diverged": self.diverged,
            "curves": self._rows,
        }
