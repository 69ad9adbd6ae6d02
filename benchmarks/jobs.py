"""Measures what `--jobs` is worth on this machine: cells an hour, each way in turn.

    python benchmarks/jobs.py --jobs 1,2 --repeats 3

Every number of jobs shares all cores. The time is that of the whole command, start of
processes and TensorFlow's import included, so a short run is in favour of one job.
The seconds of training alone are beside it.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from absl import app, flags

_JOBS = flags.DEFINE_list("jobs", ["1", "2"], "Numbers of jobs, with commas.")
_REPEATS = flags.DEFINE_integer("repeats", 3, "How often each is measured.")
_COMMAND = flags.DEFINE_string(
    "command",
    "--exp C2 --models SGD,uSF+BN+BM --learning_rates 5e-4,5e-5 --seeds 0,1",
    "Flags of the command that is measured.",
)


def main(argv):
    del argv
    rows = {jobs: [] for jobs in _JOBS.value}
    for _ in range(
        _REPEATS.value
    ):  # in turn: what else the machine does hits all alike
        for jobs in rows:
            rows[jobs].append(_measure(jobs))
    print(f"{os.cpu_count()} cores; {_COMMAND.value}")
    print("| jobs | cells an hour | seconds | seconds of training, all processes |")
    print("|--:|--:|--:|--:|")
    for jobs, measured in rows.items():
        cells, seconds, training = map(statistics.median, zip(*measured, strict=True))
        rate = f"{3600 * cells / seconds:.0f}"
        print(f"| {jobs} | {rate} | {seconds:.1f} | {training:.1f} |")


def _measure(jobs):
    """Cells, seconds of the command, seconds of its trials."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        subprocess.run(
            [
                *(sys.executable, "-m", "keras_asymbp.benchmarks"),
                *(*_COMMAND.value.split(), "--jobs", jobs, "--results_dir", folder),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.monotonic() - started
        paths = pathlib.Path(folder, "trials").glob("*.json")
        trials = [json.loads(path.read_text()) for path in paths]
    cells = {(trial["model"], trial["settings"]["seed"]) for trial in trials}
    return len(cells), seconds, sum(trial["seconds"] for trial in trials)


if __name__ == "__main__":
    app.run(main)
