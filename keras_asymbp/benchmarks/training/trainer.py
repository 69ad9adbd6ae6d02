"""Training one model with one learning rate, by the protocol."""

import math
from collections.abc import Callable
from typing import Any

import keras

from keras_asymbp import metrics
from keras_asymbp.benchmarks.tables.cells import Cell, TrialSpec
from keras_asymbp.benchmarks.tables.protocol import chance_error
from keras_asymbp.benchmarks.training import build
from keras_asymbp.benchmarks.training.batches import (
    Examples,
    batches_per_epoch,
    evaluation_batches,
    statistics_batches,
    training_batches,
)
from keras_asymbp.callbacks import BatchStatistics, MirrorFeedback, RedrawFeedback
from keras_asymbp.optimizers import BatchManhattan

# The most that one call into the compiled graph does; the redraw is exact for any.
_STEPS_PER_EXECUTION = 10


class Trainer:
    """A model, built and compiled once for all cells whose graph is the same.

    Every trial of a cell starts anew from the cell's start.

    Args:
        cell: What to train.
        examples: Its data.
    """

    def __init__(self, cell: Cell, examples: Examples):
        protocol = cell.protocol
        self._graph = _graph(cell, examples)
        self._model = _build(cell)
        self._model.compile(
            BatchManhattan(
                momentum=protocol.momentum,
                weight_decay=cell.weight_decay,
                setting=cell.column.setting,
            ),
            # Summed over the mini-batch, as equation 3's settings are written.
            loss=keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, reduction="sum"
            ),
            metrics=[
                "accuracy",
                # Of one example, whatever the batch: the curves' unit.
                keras.metrics.SparseCategoricalCrossentropy(
                    from_logits=True, name="cross_entropy"
                ),
            ],
            steps_per_execution=_steps_per_execution(cell, examples),
        )
        self._mirror = MirrorFeedback()
        optimizer = self._model.optimizer
        optimizer.build(self._model.trainable_variables)
        self._optimizer_start = [variable.numpy() for variable in optimizer.variables]
        self._take_up(cell, examples, self._model)

    @property
    def model(self) -> keras.Model:
        """The model, as the last trial has left it."""
        return self._model

    def take_up(self, cell: Cell, examples: Examples) -> bool:
        """Goes over to another cell, if its graph is the same; returns whether it is.

        Seeds and data sets of one size, say: what has been traced stays.
        """
        if _graph(cell, examples) != self._graph:
            return False
        self._take_up(cell, examples, _build(cell))
        return True

    def _take_up(self, cell, examples, model):
        """The cell starts from what `model`, fresh, holds."""
        self._cell, self._examples = cell, examples
        self._test = evaluation_batches(examples.test)
        protocol = cell.protocol
        batches = statistics_batches(
            examples, protocol.batch_size, protocol.statistics_batches, cell.seed
        )
        if model is self._model:
            self._statistics = BatchStatistics(batches)
        else:
            self._statistics.batches = batches
        self._variables = [*self._model.variables, *self._model.optimizer.variables]
        self._start = [variable.numpy() for variable in model.variables]
        self._start += self._optimizer_start

    def train(
        self, trial: TrialSpec, on_epoch: Callable[[dict[str, Any]], None]
    ) -> dict[str, Any]:
        """Trains from the start; returns the result as it is stored.

        Args:
            trial: Learning rate and batch sizes.
            on_epoch: Called after each epoch with its row of the curves.

        Returns:
            `best_error` (the lowest error of all epochs, a share; chance where none
            was finished), `best_epoch` (from 1, or None), `diverged`, and `curves`, a
            row an epoch: losses are cross-entropies of an example, errors are shares.
            Where training examples are held out, the best epoch is that of the lowest
            error on these, which is `validation_error`, and `best_error` is the test
            error then.
            With `Protocol.alignment_batches` also `alignment`, after the last epoch:
            for each layer, bottom first, the `angle` of W and V and the
            `gradient_angle` of its kernel's gradient and backpropagation's, in degrees;
            None where there is none, and for a run that diverged.
        """
        for variable, value in zip(self._variables, self._start, strict=True):
            variable.assign(value)
        curves = _Curves(self._cell, trial, self._examples, on_epoch)
        cell, model = self._cell, self._model
        ends = [epoch for epoch, _ in trial.batch_schedule[1:]] + [cell.protocol.epochs]
        for (first, batch_size), end in zip(trial.batch_schedule, ends, strict=True):
            end = min(end, cell.protocol.epochs)
            if first >= end or curves.diverged:
                continue
            model.fit(
                training_batches(
                    self._examples,
                    batch_size,
                    cell.seed,
                    first_epoch=first,
                    augmentation=cell.protocol.augmentation,
                ),
                steps_per_epoch=batches_per_epoch(self._examples, batch_size),
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
        batches = training_batches(
            self._examples, protocol.batch_size, self._cell.seed
        ).take(protocol.alignment_batches)
        gradients = metrics.gradient_angles(self._model, batches)
        direct = self._cell.column.feedback == build.DIRECT
        return {
            "alignment": {
                layer: {
                    # Direct feedback passes no layer's V.
                    "angle": None if direct else _finite(found["angle"]),
                    "gradient_angle": _finite(gradients.get(layer)),
                }
                for layer, found in metrics.alignment(self._model).items()
            }
        }


def _error(accuracy, split):
    """Accuracies are float32: the share of a split's examples, to the last digit."""
    return round((1 - accuracy) * len(split)) / len(split)


def _finite(value):
    """A number as JSON has it; None for one that isn't there or isn't finite."""
    return value if value is not None and math.isfinite(value) else None


def _build(cell):
    """The cell's model, untrained: weights and feedback are drawn from its seed."""
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
    )


def _graph(cell, examples):
    """What a compiled model depends on; all else is in variables and data."""
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
    """The largest number that divides every epoch: Keras makes no shorter calls."""
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
    """Keeps a row for each epoch with a finite loss, and ends the run at another."""

    def __init__(self, cell, trial, examples, on_epoch):
        super().__init__()
        self._cell, self._trial = cell, trial
        self._examples, self._on_epoch = examples, on_epoch
        self._rows = []
        self.diverged = False
        self._held_out = None
        if examples.validation is not None:
            self._held_out = evaluation_batches(examples.validation)

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
        self._on_epoch(row)

    def _validation(self):
        """Loss and error on the examples that are held out, if there are any."""
        if self._held_out is None:
            return {}
        found = self.model.evaluate(self._held_out, verbose=0, return_dict=True)
        return {
            "validation_loss": found["cross_entropy"],
            "validation_error": _error(found["accuracy"], self._examples.validation),
        }

    def _end(self):
        self.diverged = True
        self.model.stop_training = True

    def result(self):
        held_out = self._held_out is not None
        chooses = "validation_error" if held_out else "test_error"
        best = min(self._rows, key=lambda row: row[chooses], default=None)
        chance = chance_error(self._cell.dataset.num_classes)
        return {
            **({chooses: best[chooses] if best else chance} if held_out else {}),
            "best_error": best["test_error"] if best else chance,
            "best_epoch": best["epoch"] if best else None,
            "diverged": self.diverged,
            "curves": self._rows,
        }
