"""Measures the overhead and the gain of executors: python -m benchmarks.throughput

Overhead: seconds for each cell when training takes no time. The runner, the schedule,
leases, the store and the executor are the real ones; the workbench returns at once.
The work of a real workbench (keras-tuner's files, data, compiling) is excluded.

Sweep: cells an hour of a small real sweep by the real command, `--jobs 2` with one
thread each against `--jobs 1` with two, in turn.

Beside each figure is the number of cores that other programs used just before or after
it: on a busy machine the figure means little.
"""

import datetime
import importlib.metadata
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import rich.console
from absl import flags

from benchmarks import measurements
from benchmarks.busy import busy_cores
from keras_asymbp.benchmarks import datasets, environment
from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.escaping import markdown
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.run import runner
from keras_asymbp.benchmarks.run.executors import Execution
from keras_asymbp.benchmarks.run.progress import Display
from keras_asymbp.benchmarks.tables import experiments
from keras_asymbp.benchmarks.tables.plan import Plan, Setup
from keras_asymbp.benchmarks.tables.protocol import Protocol

_PARTS = flags.DEFINE_multi_enum(
    "part", ["overhead", "sweep"], ["overhead", "sweep"], "What to measure."
)
_CELLS = flags.DEFINE_integer("cells", 1000, "Number of empty cells.", lower_bound=10)
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Measurements of each figure.", 1)
_PRESET = flags.DEFINE_string("preset", "smoke", "Preset of the sweep.")
_SEEDS = flags.DEFINE_integer(
    "seeds", 4, "Number of seeds of each model of the sweep.", 1
)
_JSON = flags.DEFINE_string("json", None, "File for the figures.")

# By name: the execution, and the goal in seconds for each cell.
OVERHEAD = {
    "local, 1 job": (Execution(), 0.05),
    "local, 2 jobs": (Execution(jobs=2), 0.05),
    "ray": (Execution(executor="ray"), 0.1),
}
MODELS = ("SGD", "uSF", "uSF+BN+BM")
SWEEP = {
    "1 job, 2 threads": ("--jobs=1", "--threads=2"),
    "2 jobs, 1 thread each": ("--jobs=2", "--threads=1"),
}


class EmptyBench:
    """A workbench whose trials end at once."""

    def __init__(self, data_dir, command, deterministic, results_dir):
        self._command = command

    def run(self, task, report):
        cell = task.cell
        for trial in task.trials:
            report("begin", trial)
            row = {
                "epoch": 1,
                "learning_rate": trial.learning_rate,
                "train_loss": 1.0,
                "train_error": 0.5,
                "test_loss": 1.0,
                "test_error": 0.5,
            }
            report("epoch", trial, row)
            record = {
                "settings": cell.settings(trial),
                "model": cell.column.name,
                "result": {
                    "best_error": 0.5,
                    "best_epoch": 1,
                    "diverged": False,
                    "curves": [row],
                },
                "started": datetime.datetime.now(datetime.UTC).isoformat(),
                "seconds": 0.0,
                "command": self._command,
                **environment.describe(),
            }
            report("finished", trial, record)


class Clock(Display):
    """Records the time of the first trial, when the processes have started."""

    first: float | None = None

    def begin(self, cell, trial):
        self.first = self.first or time.monotonic()
        super().begin(cell, trial)


def main() -> None:
    program.start(_run, "python -m benchmarks.throughput", __doc__)


def _run():
    rows = []
    if "overhead" in _PARTS.value:
        for _ in range(_ROUNDS.value):
            for name, (execution, goal) in OVERHEAD.items():
                rows.append(_measured("overhead", name, overhead, execution))
                rows[-1]["goal"] = goal
    if "sweep" in _PARTS.value:
        for number in range(_ROUNDS.value):
            # In alternating order, so that a drift of the machine meets both.
            for name in list(SWEEP)[:: -1 if number % 2 else 1]:
                rows.append(_measured("sweep", name, sweep, SWEEP[name]))
    medians = summary(rows)
    print(table(medians))
    if _JSON.value:
        record = measurements.describe() | {"medians": medians, "measurements": rows}
        record["versions"]["ray"] = importlib.metadata.version("ray")
        measurements.write(record, _JSON.value)


def overhead(execution):
    """Runs empty cells; returns seconds for each, with and without the start."""
    ((experiment, columns),) = experiments.select([experiments.get("A")], None)
    # Ten models, with enough seeds for the number of cells.
    columns = columns[:10]
    seeds = range(-(-_CELLS.value // len(columns)))
    dataset = datasets.get("mnist_5k")
    protocol = Protocol(epochs=1, learning_rates=(5e-4,))
    setup = Setup(dataset, dataset.version(), protocol, None, tuple(seeds))
    plan = Plan(experiment, columns, setup)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        with Clock(rich.console.Console(file=io.StringIO())) as clock:
            start = time.monotonic()
            failures = runner.run(
                [plan], store, clock, None, "", execution, workbench=EmptyBench
            )
            end = time.monotonic()
        cells = len(plan.cells())
        if failures or len(store.trials()) != cells:
            raise RuntimeError(f"cells are missing: {failures}")
    return {
        "cells": cells,
        "seconds_a_cell": (end - start) / cells,
        "seconds_to_start": clock.first - start,
        "seconds_a_cell_once_started": (end - clock.first) / cells,
    }


def sweep(settings):
    """Runs the real command; returns cells an hour."""
    seeds = ",".join(map(str, range(_SEEDS.value)))
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "keras_asymbp.benchmarks", "--exp=A"),
            *(f"--models={','.join(MODELS)}", f"--preset={_PRESET.value}"),
            *(f"--seeds={seeds}", f"--results_dir={folder}", *settings),
        ]
        start = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - start
    cells = len(MODELS) * _SEEDS.value
    return {"cells": cells, "seconds": seconds, "cells_an_hour": cells * 3600 / seconds}


def summary(rows):
    """The median of each figure, by part and name."""
    medians = {}
    for row in rows:
        medians.setdefault((row["part"], row["name"]), []).append(row)
    return [
        {"part": part, "name": name, "rounds": len(group)}
        | {
            key: round(statistics.median(row[key] for row in group), 4)
            for key, value in group[0].items()
            if isinstance(value, int | float)
        }
        for (part, name), group in medians.items()
    ]


def table(medians):
    """The medians as Markdown."""
    tables = []
    if group := [row for row in medians if row["part"] == "overhead"]:
        titles = [
            *("empty cells", "ms a cell", "goal", "start, s"),
            *("ms a cell once started", "cores that others used"),
        ]
        rows = (
            (
                f"{row['name']}, {row['cells']:g} cells",
                f"{1000 * row['seconds_a_cell']:.1f}",
                f"{1000 * row['goal']:.0f}",
                f"{row['seconds_to_start']:.1f}",
                f"{1000 * row['seconds_a_cell_once_started']:.1f}",
                f"{row['others']:.2f}",
            )
            for row in group
        )
        tables.append(markdown.table(titles, rows))
    if group := [row for row in medians if row["part"] == "sweep"]:
        titles = [
            *("real sweep", "cells an hour", "s", "against the first"),
            "cores that others used",
        ]
        first = group[0]["cells_an_hour"]
        rows = (
            (
                row["name"],
                f"{row['cells_an_hour']:.0f}",
                f"{row['seconds']:.1f}",
                f"{row['cells_an_hour'] / first:.2f}",
                f"{row['others']:.2f}",
            )
            for row in group
        )
        tables.append(markdown.table(titles, rows))
    return "\n\n".join(tables)


def _measured(part, name, measure, settings):
    before = busy_cores()
    row = {"part": part, "name": name, "load": round(os.getloadavg()[0], 2)}
    row |= measure(settings)
    row["others"] = round(max(before, busy_cores()), 2)
    print(json.dumps(row), file=sys.stderr, flush=True)
    return row


if __name__ == "__main__":
    main()
