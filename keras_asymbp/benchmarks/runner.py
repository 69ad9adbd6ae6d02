"""Runs the cells of a plan, trial by trial, and stores each trial as it finishes."""

import datetime
import functools
import importlib.metadata
import os
import platform
import time
from collections.abc import Sequence
from typing import Any

import keras_asymbp
from keras_asymbp.benchmarks.cells import Cell, TrialSpec
from keras_asymbp.benchmarks.progress import Display
from keras_asymbp.benchmarks.store import Store
from keras_asymbp.benchmarks.table import Plan

_PACKAGES = ("tensorflow", "keras", "keras-tuner", "numpy")


def run(
    plans: Sequence[Plan],
    store: Store,
    display: Display,
    data_dir: str | None,
    command: str,
) -> None:
    """Runs what isn't in the store yet.

    Args:
        plans: What to run: tables of the same data sets by the same protocol.
        store: Where finished trials are looked up and put.
        display: Is told what happens.
        data_dir: Folder of the prepared data sets.
        command: The command line, kept with each result.
    """
    cells = _in_order(cell for plan in plans for cell in plan.cells())
    display.start(
        total=sum(len(cell.trials()) for cell in cells),
        epochs=plans[0].protocol.epochs,
    )
    workbench = _Workbench(data_dir)
    for cell in cells:
        stored = [store.get(cell.settings(trial)) for trial in cell.trials()]
        finished = [trial for trial in stored if trial]
        if len(finished) == len(stored):
            for trial in finished:
                display.found(cell, trial["result"])
        else:
            _run_cell(cell, workbench.trainer(cell), store, display, command)


def _in_order(cells):
    """The cells, each once, a data set at a time and in it all seeds of a model."""
    cells = dict.fromkeys(cells)
    ranks = [
        {key: rank for rank, key in enumerate(dict.fromkeys(keys))}
        for keys in (
            [cell.dataset.name for cell in cells],
            [cell.column for cell in cells],
        )
    ]
    datasets, columns = ranks
    return sorted(
        cells, key=lambda cell: (datasets[cell.dataset.name], columns[cell.column])
    )


def _run_cell(cell, trainer, store, display, command):
    from keras_asymbp.benchmarks.search import search

    def run_trial(trial: TrialSpec) -> dict[str, Any]:
        settings = cell.settings(trial)
        stored = store.get(settings)
        if stored:
            display.found(cell, stored["result"])
            return stored
        display.begin(cell, trial)
        started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
        result = trainer.train(trial, display.epoch)
        stored = store.put(
            f"{cell.dataset.name}-{cell.column.name}-seed{cell.seed}"
            f"-lr{trial.learning_rate:g}",
            {
                "settings": settings,
                "model": cell.column.name,
                "result": result,
                "started": started.isoformat(timespec="seconds"),
                "seconds": round(time.monotonic() - clock, 3),
                "command": command,
                **_environment(),
            },
        )
        display.end(cell, trial, result)
        return stored

    search(cell, run_trial)


class _Workbench:
    """The data set and the compiled model in use, until a cell needs others."""

    def __init__(self, data_dir):
        self._data_dir = data_dir
        self._dataset = self._examples = self._trainer = None

    def trainer(self, cell: Cell):
        import keras

        from keras_asymbp.benchmarks.trial import Trainer

        examples = self._prepared(cell)
        if self._trainer is None or not self._trainer.take_up(cell, examples):
            keras.utils.clear_session()  # or every cell's graph stays in memory
            self._trainer = Trainer(cell, examples)
        return self._trainer

    def _prepared(self, cell):
        from keras_asymbp.benchmarks import pipeline
        from keras_asymbp.benchmarks.datasets import prepared

        if self._dataset != cell.dataset:
            fit = prepared.Fit.of(cell.dataset, cell.protocol, self._data_dir)
            self._examples = pipeline.prepare(
                prepared.load(fit), cell.protocol.input_scale
            )
            self._dataset = cell.dataset
        return self._examples


@functools.cache
def _environment() -> dict[str, Any]:
    """What a figure depends on besides its settings."""
    return {
        "versions": {
            "keras-asymbp": keras_asymbp.__version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
        },
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": _processor(),
            "cores": os.cpu_count(),
            "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
        },
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()
