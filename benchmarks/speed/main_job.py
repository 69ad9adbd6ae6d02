"""The parts of the time of the default command: --exp C2, in one process.

The command runs once, under an account (`account.py`) whose parts add up to the whole.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from benchmarks.busy import busy_cores
from benchmarks.speed.measure import Options, row

TITLE = "Where each second of --exp C2 --jobs 1 goes"


def rows(options: Options) -> Iterator[dict]:
    """A row for each part of the account, and one for the whole."""
    others = busy_cores()
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "account.json")
        start = time.time()
        subprocess.run(
            [
                *(sys.executable, "-m", "benchmarks.speed.account"),
                *("--exp=C2", "--jobs=1"),
                *(f"--preset={options.preset}", f"--results_dir={folder}/results"),
            ],
            env=os.environ | {"ACCOUNT": str(file)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        end = time.time()
        account = json.loads(file.read_text(encoding="utf-8"))
    others = max(others, busy_cores())
    whole = end - start
    parts = account["parts"] | {
        "Python's start": account["began"] - start,
        "Python's end": end - account["ended"],
    }
    shared = {"case": f"preset {options.preset}", "rounds": 1, "others": others}
    for name, seconds in sorted(parts.items(), key=lambda part: -part[1]):
        share = f"{100 * seconds / whole:.1f} %"
        yield row(seconds, name=name, unit="s", note=share, **shared)
    yield row(whole, name="the whole", unit="s", **shared)
