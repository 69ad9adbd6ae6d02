"""Runs tasks in this process; keeps the data and the compiled model between them."""

import contextlib
import datetime
import functools
import importlib.util
import os
import time
from collections.abc import Callable
from typing import Any

from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.errors import StoreError, UsageError
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables.cells import Cell, Task, TrialSpec
from keras_asymbp.benchmarks.tables.protocol import score
from keras_asymbp.benchmarks.training.events import Events
from keras_asymbp.benchmarks.training.observers import Observer

# Packages that a workbench imports, besides the backend.
_PACKAGES = ("keras_tuner", "scipy")


def require() -> None:
    """Checks, without importing them, that the packages for training are installed.

    Raises:
        ModuleNotFoundError: If one is not: once, rather than from every worker process.
    """
    for name in (*_PACKAGES, environment.backend()):
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(f"no module named {name!r}", name=name)


class Workbench:
    """Runs tasks with one data set and one compiled model, until a cell needs others.

    Args:
        data_dir: Folder of the prepared data sets.
        command: The command line, stored with each result.
        deterministic: Whether to use the backend's deterministic operations.
        results_dir: Folder to write finished trials into; None if only the driver
            stores them.
        tensorboard_dir: Folder to write events for TensorBoard into, or None.
        whole_epochs: Whether an epoch is one program; None for the best choice on the
            device.
        lanes: The most trials that train together as lanes of one program; None for the
            best choice on the device.
    """

    def __init__(
        self,
        data_dir: str | None,
        command: str,
        deterministic: bool = False,
        results_dir: str | os.PathLike | None = None,
        tensorboard_dir: str | None = None,
        whole_epochs: bool | None = None,
        lanes: int | None = None,
    ):
        self._data_dir = data_dir
        self._command = command
        self._deterministic = deterministic
        self._tensorboard_dir = tensorboard_dir
        self._whole_epochs, self._lanes = whole_epochs, lanes
        self._store = Store(results_dir) if results_dir else None
        self._data: Any = None  # identifies the examples in memory
        self._examples: Any = None
        self._trainer: Any = None

    def run(self, task: Task, report: Callable[..., Any]) -> None:
        """Runs a task.

        Args:
            task: The task.
            report: Called with `"begin"` and a trial, with `"epoch"`, the trial and a
                row of its curves, with `"finished"`, the trial and its record, and with
                `"note"` and a text for the user.
        """
        from keras_asymbp.benchmarks.training.search import search

        trainer = self.trainer(task.cell)
        groups = {
            trial: group for group in self._groups(task, trainer) for trial in group
        }
        records: dict[TrialSpec, dict[str, Any]] = {}

        def run_trial(trial: TrialSpec) -> float:
            if trial not in records:  # the first of those that train together
                group = groups[trial]
                records.update(self._train(task.cell, trainer, group, report))
            record = records[trial]
            if self._store:
                # The driver also stores it, and reports errors.
                with contextlib.suppress(StoreError):
                    self._store.put(task.cell.label(trial), record)
            report("finished", trial, record)
            return score(record["result"])

        search(task.trials, run_trial)

    def _groups(self, task, trainer):
        """The trials that train together: some with the same batch schedule."""
        from keras_asymbp.benchmarks.training import device

        whole = device.whole_epochs(self._whole_epochs)
        lanes = device.lanes(self._lanes, whole)
        if not trainer.has_lanes:
            lanes = 1
        schedules: dict[Any, list[TrialSpec]] = {}
        for trial in task.trials:
            schedules.setdefault(trial.batch_schedule, []).append(trial)
        for trials in schedules.values():
            size = lanes or len(trials)
            for start in range(0, len(trials), size):
                yield trials[start : start + size]

    def _train(self, cell, trainer, trials, report):
        """Trains trials together; returns the record of each."""
        from keras_asymbp.benchmarks.training import device

        started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
        compiled = device.compile_seconds()
        results = trainer.train_together(
            trials, [self._observers(report) for _ in trials]
        )
        # Each trial's share of the time.
        seconds = (time.monotonic() - clock) / len(trials)
        compiled = device.compile_seconds(compiled)
        compiling = None if compiled is None else compiled / len(trials)
        return {
            trial: {
                "settings": cell.settings(trial),
                "overridden": cell.overridden,
                "model": cell.column.name,
                "result": result,
                "started": started.isoformat(timespec="seconds"),
                "seconds": round(seconds, 3),
                "compile_seconds": compiling,
                "command": self._command,
                **environment.describe(
                    deterministic=self._deterministic,
                    accelerator=device.accelerator(),
                    whole_epochs=device.whole_epochs(self._whole_epochs),
                    lanes=len(trials),
                    precision=device.precision(),
                ),
            }
            for trial, result in zip(trials, results, strict=True)
        }

    def _observers(self, report):
        """The observers of one trial."""
        observers: list[Observer] = [_Progress(report)]
        if self._tensorboard_dir:
            warn = functools.partial(report, "note")
            observers.append(Events(self._tensorboard_dir, warn))
        return observers

    def trainer(self, cell: Cell):
        """The cell's trainer; reused if the next cell has the same graph."""
        import keras

        from keras_asymbp.benchmarks.training import device
        from keras_asymbp.benchmarks.training.trainer import Trainer

        device.prepare(self._deterministic)
        examples = self.examples(cell)
        if self._trainer is None or not self._trainer.take_up(cell, examples):
            keras.utils.clear_session()  # frees the previous graph
            whole = device.whole_epochs(self._whole_epochs)
            self._trainer = Trainer(cell, examples, whole)
        return self._trainer

    def examples(self, cell: Cell):
        """The cell's data; reused if the next cell is trained on the same."""
        from keras_asymbp.benchmarks.datasets import prepared
        from keras_asymbp.benchmarks.training import batches

        fit = cell.protocol.fit(cell.dataset, self._data_dir)
        scale, share = cell.protocol.input_scale, cell.protocol.validation_share
        if self._data != (fit, scale, share):
            examples = batches.prepare(prepared.load(fit), scale)
            if cell.dataset.version(self._data_dir) != cell.data_version:
                raise UsageError(
                    f"{cell.dataset.name} has changed since the run began: run the "
                    "command again"
                )
            self._examples = batches.hold_out(examples, share)
            self._data = fit, scale, share
        return self._examples


class _Progress(Observer):
    """Reports the begin and the epochs of trials; see `Workbench.run`."""

    def __init__(self, report: Callable[..., Any]):
        self._report = report
        self._trial: TrialSpec | None = None

    def begin(self, cell, trial, model):
        self._trial = trial
        self._report("begin", trial)

    def epoch(self, row):
        self._report("epoch", self._trial, row)
