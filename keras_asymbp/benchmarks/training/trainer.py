"""Trains a model with one learning rate or several, as the protocol says."""

import contextlib
import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any

import keras

from keras_asymbp import diagnostics, metrics
from keras_asymbp.benchmarks.results.measures import MEASURES
from keras_asymbp.benchmarks.tables.cells import Cell, TrialSpec
from keras_asymbp.benchmarks.tables.rules import DIRECT
from keras_asymbp.benchmarks.training import build, optimizers
from keras_asymbp.benchmarks.training.batches import (
    Examples,
    batches_per_epoch,
    statistics_batches,
    training_batches,
)
from keras_asymbp.benchmarks.training.feeding import BatchByBatch
from keras_asymbp.benchmarks.training.observers import Observer
from keras_asymbp.benchmarks.training.trial import Trial
from keras_asymbp.callbacks import BatchStatistics, MirrorFeedback, RedrawFeedback
from keras_asymbp.layers import rules_with

# Upper limit for Keras's `steps_per_execution`; redraws are exact for any value.
_STEPS_PER_EXECUTION = 10
# Keras's names for how losses of a mini-batch are added.
_REDUCTIONS = {"sum": "sum", "mean": "sum_over_batch_size"}


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
        has_lanes: Whether several trials can train together. A mirror phase is no part
            of the program of an epoch, so the trials of `WM` train one by one.
    """

    def __init__(self, cell: Cell, examples: Examples, whole_epochs: bool = False):
        protocol = cell.protocol
        self._graph = _graph(cell, examples)
        self.model = _build(cell)
        optimizer = optimizers.make(cell)
        self.model.compile(
            optimizer,
            loss=keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, reduction=_REDUCTIONS[protocol.loss_reduction]
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
        self.has_lanes = whole_epochs and not rules_with(self.model, "mirror")
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
        self._held_out = examples.validation and self._feeder.evaluation(
            examples.validation
        )
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
        self, spec: TrialSpec, observers: Sequence[Observer] = ()
    ) -> dict[str, Any]:
        """Trains from the cell's start; returns the result as it is stored.

        Args:
            spec: Learning rate and batch sizes.
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
            degrees; and `diagnostics`, the `MEASURES` of each layer's error and
            gradient. What is undefined is None, as are both of a run that diverged.
        """
        [result] = self.train_together([spec], [observers])
        return result

    def train_together(
        self, specs: Sequence[TrialSpec], observers: Sequence[Sequence[Observer]]
    ) -> list[dict[str, Any]]:
        """Trains several trials of one batch schedule; returns their results.

        Args:
            specs: The trials; more than one only if the trainer `has_lanes`.
            observers: Those of each trial; see `train`.
        """
        self._restart()
        trials = []
        with contextlib.ExitStack() as ends:
            for spec, of_trial in zip(specs, observers, strict=True):
                trial = Trial(self._cell, spec, self._examples, of_trial)
                ends.callback(trial.end)
                trial.begin(self.model)
                trials.append(trial)
            run = self._run_alone if len(trials) == 1 else self._run_lanes
            return run(trials, specs[0].batch_schedule)

    def _run_alone(self, trials, schedule):
        """Runs a trial by `fit`, batch by batch or epoch by epoch."""
        [trial] = trials
        callbacks = [RedrawFeedback(), self._mirror, self._statistics]
        for epochs, batch_size, data in self._phases(trials, schedule):
            self.model.fit(
                data,
                steps_per_epoch=1
                if self._feeder.whole_epochs
                else batches_per_epoch(self._examples, batch_size),
                initial_epoch=epochs.start,
                epochs=epochs.stop,
                validation_data=self._test,
                shuffle=False,
                verbose=0,
                callbacks=[*callbacks, _InFit(trial, self._held_out)],
            )
        return [trial.finish(**self._alignment(trial))]

    def _run_lanes(self, trials, schedule):
        """Runs trials together; see `LaneProgram`."""
        program, protocol = self._lane_program, self._cell.protocol
        statistics = self._feeder.statistics(
            self._examples,
            *(protocol.batch_size, protocol.statistics_batches, self._cell.seed),
        )
        evaluations = [
            self._feeder.whole_pass(fed) for fed in (self._test, self._held_out) if fed
        ]
        lanes = program.start(len(trials))
        for epochs, _, data in self._phases(trials, schedule):
            for number, epoch in enumerate(epochs):
                if all(trial.diverged for trial in trials):
                    break
                rates = [trial.rate(epoch) for trial in trials]
                training = self._feeder.whole_pass(data, number)
                logs, lanes = program.epoch(
                    lanes, rates, training, statistics, evaluations
                )
                for lane, trial in enumerate(trials):
                    if trial.diverged:
                        continue
                    if trial.reads_model:
                        program.load(lanes, lane)
                    trial.add(epoch, *logs[lane])
        results = []
        for lane, trial in enumerate(trials):
            program.load(lanes, lane)
            results.append(trial.finish(**self._alignment(trial)))
        return results

    def _phases(self, trials, schedule):
        """Yields epochs, batch size and data, until all trials have diverged."""
        cell = self._cell
        last = cell.protocol.epochs
        ends = [epoch for epoch, _ in schedule[1:]] + [last]
        for (first, batch_size), end in zip(schedule, ends, strict=True):
            epochs = range(first, min(end, last))
            if epochs and not all(trial.diverged for trial in trials):
                yield (
                    epochs,
                    batch_size,
                    self._feeder.training(
                        self._examples,
                        *(batch_size, cell.seed, first, cell.protocol.augmentation),
                    ),
                )

    @functools.cached_property
    def _lane_program(self):
        from keras_asymbp.benchmarks.training.lanes import LaneProgram

        return LaneProgram(self.model)

    def _alignment(self, trial):
        protocol = self._cell.protocol
        if protocol.alignment_batches is None:
            return {}
        if trial.diverged:
            return {"alignment": None, "diagnostics": None}
        batches = training_batches(self._examples, protocol.batch_size, self._cell.seed)
        measures = diagnostics.diagnose(
            self.model, itertools.islice(batches, protocol.alignment_batches)
        )
        direct = self._cell.column.feedback in DIRECT
        return {
            "alignment": {
                layer: {
                    # Direct feedback bypasses the layers' own V.
                    "angle": None if direct else _finite(quantities["angle"]),
                    "gradient_angle": _finite(
                        measures.get(layer, {}).get("gradient_angle")
                    ),
                }
                for layer, quantities in metrics.alignment(self.model).items()
            },
            "diagnostics": {
                layer: {name: _finite(found.get(name)) for name in MEASURES}
                for layer, found in measures.items()
            },
        }


def _values(variables):
    return [variable.numpy() for variable in variables]


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
        *(column.scale, column.optimizer),
        *(protocol.momentum, cell.weight_decay, protocol.bias_decay),
        protocol.loss_reduction,
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


class _InFit(keras.callbacks.Callback):
    """Sets each epoch's rate and adds the epoch to the trial, which may end it."""

    def __init__(self, trial, held_out):
        super().__init__()
        self._trial, self._held_out = trial, held_out

    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = self._trial.rate(epoch)

    def on_train_batch_end(self, batch, logs=None):
        if not math.isfinite(logs["loss"]):
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        of_test = "val_"
        test = {
            name.removeprefix(of_test): value
            for name, value in logs.items()
            if name.startswith(of_test)
        }
        validation = self._held_out and self.model.evaluate(
            self._held_out, verbose=0, return_dict=True
        )
        self._trial.add(epoch, logs, test, validation)
        self.model.stop_training = self._trial.diverged
