"""The real command without training, for tests of faults outside TensorFlow.

`python stand_in.py FLAGS` is `python -m keras_asymbp.benchmarks FLAGS` with the real
executors, leases, store and reports. It starts within a second, because nothing imports
TensorFlow. A trial takes no time, and its error is a function of its settings. The
environment variable STAND_IN configures faults, in JSON:

- `notes`: a folder that gets a file for each trial begun;
- `seconds`: duration of a trial;
- `faults`: a list; each has the `seed` and the `rate` of the trials affected (all if
  missing), the `kind` of fault, and the number of `times` in all (by default no limit).
"""

import json
import os
import pathlib
import resource
import signal
import socket
import sys
import time
import types
import uuid

sys.argv[0] = "keras-asymbp"  # by which keras_asymbp knows not to import TensorFlow

from keras_asymbp.benchmarks.errors import UsageError  # noqa: E402
from keras_asymbp.benchmarks.run import runner  # noqa: E402
from keras_asymbp.benchmarks.training.observers import Observers  # noqa: E402
from keras_asymbp.benchmarks.training.workbench import Workbench  # noqa: E402


def replace(name, **functions):
    """Puts functions in place of a module of the room `training`."""
    module = types.ModuleType(f"keras_asymbp.benchmarks.training.{name}")
    vars(module).update(functions)
    sys.modules[module.__name__] = module


class Bench(Workbench):
    """A workbench with stand-ins for its trainers."""

    def run(self, task, report):
        # keras-tuner imports TensorFlow, and the device is asked by Keras's backend.
        replace("search", search=lambda trials, run: [run(trial) for trial in trials])
        replace(
            "device",
            accelerator=lambda: None,
            compile_seconds=lambda since=None: None,
            lanes=lambda requested, whole: 1,
            precision=lambda: "float32",
            whole_epochs=lambda requested: False,
        )
        super().run(task, report)

    def trainer(self, cell):
        return StandIn(cell)


class StandIn:
    """Computes results without training."""

    has_lanes = False

    def __init__(self, cell):
        self._cell = cell
        self._settings = json.loads(os.environ["STAND_IN"])

    def train_together(self, trials, observers):
        return [self._train(*pair) for pair in zip(trials, observers, strict=True)]

    def _train(self, trial, observers):
        observer = Observers(observers)
        observer.begin(self._cell, trial, model=None)
        note = {
            "model": self._cell.column.name,
            "seed": self._cell.seed,
            "rate": trial.learning_rate,
            "process": os.getpid(),
            "host": socket.gethostname(),
            "node": os.environ.get("RAY_NODE_ID"),
            "gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
        }
        write(self._settings["notes"], note)
        for number, fault in enumerate(self._settings["faults"]):
            hit = all(
                fault.get(key, note[key]) == note[key] for key in ("seed", "rate")
            )
            if hit and self._is_due(number, fault.get("times")):
                self._fail(fault["kind"])
        time.sleep(self._settings["seconds"])
        error = (self._cell.seed + 1) * trial.learning_rate % 1
        row = {
            "epoch": 1,
            "learning_rate": trial.learning_rate,
            "train_loss": 1.0,
            "train_error": error,
            "test_loss": 1.0,
            "test_error": error,
        }
        observer.epoch(row)
        result = {
            "best_error": error,
            "best_epoch": 1,
            "diverged": False,
            "curves": [row],
        }
        observer.end(result)
        return result

    def _is_due(self, number, times):
        for time_ in range(times or 0):
            mark = os.path.join(self._settings["notes"], f"fault-{number}-{time_}")
            try:
                os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
                return True
            except FileExistsError:
                continue
        return times is None

    def _fail(self, kind):
        match kind:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "error":
                raise RuntimeError("out of | something\nand more")
            case "memory":
                used = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
                limit = used * resource.getpagesize() + 2**26
                resource.setrlimit(resource.RLIMIT_AS, (limit, -1))
                bytearray(2**30)
            case "refuse":
                raise UsageError("not like this")
            case "missing":
                import no_such_package  # noqa: F401
            case "noise":
                os.write(2, b"noise of C++\n")
                print("noise of Python", file=sys.stderr, flush=True)
            case "hold":
                time.sleep(600)


def write(folder, note):
    name = f"{time.time_ns()}-{uuid.uuid4().hex}.json"
    path = os.path.join(folder, name)
    with open(path + ".part", "w") as file:
        json.dump(note, file)
    os.rename(path + ".part", path)


if __name__ == "__main__":
    from keras_asymbp.benchmarks.commands.run import main

    runner.Workbench = Bench
    main()
