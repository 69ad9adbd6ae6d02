"""The real command where training is a stand-in, for faults that aren't TensorFlow's.

`python stand_in.py FLAGS` is `python -m keras_asymbp.benchmarks FLAGS`: executors,
leases, store and reports are the real ones, and start in a second, for nothing imports
TensorFlow. A trial takes no time and its error follows from its settings. What is to go
wrong is in the environment, as STAND_IN: in JSON

- `notes`: a folder that gets a file for each trial begun;
- `seconds`: how long a trial takes;
- `faults`: a list of `seed` and `rate` of the trials that are hit, as far as given,
  `what` happens, and how many `times` in all (by default always).
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


class Bench(Workbench):
    """A workbench that trains nothing."""

    def run(self, task, report):
        # keras-tuner would import TensorFlow.
        search = types.ModuleType("keras_asymbp.benchmarks.training.search")
        search.search = lambda trials, run: [run(trial) for trial in trials]
        sys.modules[search.__name__] = search
        super().run(task, report)

    def trainer(self, cell):
        return StandIn(cell)


class StandIn:
    """Trains nothing."""

    def __init__(self, cell):
        self._cell = cell
        self._told = json.loads(os.environ["STAND_IN"])

    def train(self, trial, observers=()):
        observer = Observers(observers)
        observer.begin(self._cell, trial, model=None)
        what = {
            "model": self._cell.column.name,
            "seed": self._cell.seed,
            "rate": trial.learning_rate,
            "process": os.getpid(),
            "host": socket.gethostname(),
            "node": os.environ.get("RAY_NODE_ID"),
            "gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
        }
        note(self._told["notes"], what)
        for number, fault in enumerate(self._told["faults"]):
            hit = all(
                fault.get(key, what[key]) == what[key] for key in ("seed", "rate")
            )
            if hit and self._once_more(number, fault.get("times")):
                self._go_wrong(fault)
        time.sleep(self._told["seconds"])
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

    def _once_more(self, number, times):
        for time_ in range(times or 0):
            mark = os.path.join(self._told["notes"], f"fault-{number}-{time_}")
            try:
                os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
                return True
            except FileExistsError:
                continue
        return times is None

    def _go_wrong(self, fault):
        match fault["what"]:
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
            case "hold":
                time.sleep(600)


def note(folder, what):
    name = f"{time.time_ns()}-{uuid.uuid4().hex}.json"
    path = os.path.join(folder, name)
    with open(path + ".part", "w") as file:
        json.dump(what, file)
    os.rename(path + ".part", path)


if __name__ == "__main__":
    from keras_asymbp.benchmarks.commands.run import main

    runner.Workbench = Bench
    main()
