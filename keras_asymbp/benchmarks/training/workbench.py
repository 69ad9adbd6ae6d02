"""Runs cells in this process, with the data and the compiled model that it keeps."""

import contextlib
import datetime
import importlib.util
import os
import time
from collections.abc import Callable
from typing import Any

from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.errors import StoreError
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables.cells import Cell, Task, TrialSpec
from keras_asymbp.benchmarks.training import events

# What a workbench imports, and the command line doesn't.
_IMPORTS = ("keras_tuner", "tensorflow")


def require() -> None:
    """Sees that what trains is installed on this machine, and imports none of it.

    Raises:
        ModuleNotFoundError: If it isn't; worker processes would say so for each cell.
    """
    for name in _IMPORTS:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(f"no module named {name!r}", name=name)


class Workbench:
    """The data set and the compiled model in use, until a cell needs others.

    Args:
        data_dir: Folder of the prepared data sets.
        command: The command line, kept with each result.
        deterministic: Whether TensorFlow is told to give the same numbers each time.
        results_dir: Folder to write finished trials into; None if whoever is told of
            them does.
        tensorboard_dir: Folder to write what TensorBoard shows into, or None.
    """

    def __init__(
        self,
        data_dir: str | None,
        command: str,
        deterministic: bool = False,
        results_dir: str | os.PathLike | None = None,
        tensorboard_dir: str | None = None,
    ):
        self._data_dir = data_dir
        self._command = command
        self._deterministic = deterministic
        self._tensorboard_dir = tensorboard_dir
        self._store = Store(results_dir) if results_dir else None
        self._fit: Any = None  # of the data to networks: what the examples are
        self._examples: Any = None
        self._trainer: Any = None

    def run(self, task: Task, report: Callable[..., Any]) -> None:
        """Runs a task.

        Args:
            task: The task.
            report: Called with `"begin"` and a trial, with `"epoch"`, the trial and a
                row of its curves, and with `"finished"`, the trial and its record.
        """
        from keras_asymbp.benchmarks.training.search import search

        cell, trainer = task.cell, self.trainer(task.cell)

        def run_trial(trial: TrialSpec) -> dict[str, Any]:
            report("begin", trial)
            started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
            result = events.train(
                self._tensorboard_dir,
                *(cell, trial, trainer),
                lambda row: report("epoch", trial, row),
            )
            record = {
                "settings": cell.settings(trial),
                "model": cell.column.name,
                "result": result,
                "started": started.isoformat(timespec="seconds"),
                "seconds": round(time.monotonic() - clock, 3),
                "command": self._command,
                **environment.describe(self._deterministic),
            }
            if self._store:
                # Who is told of it tries, too, and says what is wrong.
                with contextlib.suppress(StoreError):
                    self._store.put(cell.label(trial), record)
            report("finished", trial, record)
            return record

        search(task.trials, run_trial)

    def trainer(self, cell: Cell):
        """What trains the cell's trials."""
        import keras

        from keras_asymbp.benchmarks.training.trainer import Trainer

        if self._deterministic:
            import tensorflow as tf

            tf.config.experimental.enable_op_determinism()
        examples = self._prepared(cell)
        if self._trainer is None or not self._trainer.take_up(cell, examples):
            keras.utils.clear_session()  # or every cell's graph stays in memory
            self._trainer = Trainer(cell, examples)
        return self._trainer

    def _prepared(self, cell):
        from keras_asymbp.benchmarks.datasets import prepared
        from keras_asymbp.benchmarks.training import batches

        fit = cell.protocol.fit(cell.dataset, self._data_dir)
        how = cell.protocol.input_scale, cell.protocol.validation_share
        if self._fit != (fit, how):
            scale, share = how
            examples = batches.prepare(prepared.load(fit), scale)
            self._examples = batches.hold_out(examples, share)
            self._fit = fit, how
        return self._examples
