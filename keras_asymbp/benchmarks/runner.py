"""Runs the cells of a plan, trial by trial, and stores each trial as it finishes."""

import datetime
import functools
import importlib.metadata
import os
import platform
import time
from typing import Any

import keras_asymbp
from keras_asymbp.benchmarks.cells import TrialSpec
from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.progress import Display
from keras_asymbp.benchmarks.store import Store
from keras_asymbp.benchmarks.table import Plan

_PACKAGES = ("tensorflow", "keras", "keras-tuner", "numpy")


def run(
    plan: Plan, store: Store, display: Display, data_dir: str | None, command: str
) -> None:
    """Runs what isn't in the store yet.

    Args:
        plan: What to run.
        store: Where finished trials are looked up and put.
        display: Is told what happens.
        data_dir: Folder of the prepared data sets.
        command: The command line, kept with each result.
    """
    cells = plan.cells()
    display.start(
        total=sum(len(cell.trials()) for cell in cells),
        epochs=plan.protocol.epochs,
    )
    examples = _Examples(data_dir)
    for cell in cells:
        stored = [store.get(cell.settings(trial)) for trial in cell.trials()]
        finished = [trial for trial in stored if trial]
        if len(finished) == len(stored):
            for trial in finished:
                display.found(cell, trial["result"])
        else:
            inputs = examples.get(cell.dataset, cell.protocol.input_scale)
            _run_cell(cell, inputs, store, display, command)


def _run_cell(cell, examples, store, display, command):
    import keras

    from keras_asymbp.benchmarks.search import search
    from keras_asymbp.benchmarks.trial import Trainer

    trainer = Trainer(cell, examples)

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
    keras.utils.clear_session()  # or every cell's graph stays in memory


class _Examples:
    """Loads and prepares each data set once."""

    def __init__(self, data_dir):
        self._data_dir = data_dir
        self.get = functools.cache(self._get)

    def _get(self, dataset: Dataset, input_scale: float):
        from keras_asymbp.benchmarks import pipeline

        return pipeline.prepare(dataset.load(self._data_dir), input_scale)


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
