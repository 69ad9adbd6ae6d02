"""The time to import the package, and the time of --help and --list."""

import os
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.speed.measure import Options, interleaved, row

TITLE = "Start-up, in fresh processes"
IMPORTS = {
    "tensorflow, keras": "import tensorflow, keras",
    "tensorflow, keras, keras_asymbp": "import tensorflow, keras, keras_asymbp",
}
IMPORT_GOAL = 0.3
COMMANDS = ("--help", "--list")
COMMAND_GOAL = 1.0
_COMMAND = ("-m", "keras_asymbp.benchmarks")


def rows(options: Options) -> Iterator[dict]:
    """Rows for importing, and for each of the commands."""
    contestants = {name: _process("-c", code) for name, code in IMPORTS.items()}
    contestants |= {flag: _process(*_COMMAND, flag) for flag in COMMANDS}
    result = interleaved(contestants, options.rounds)
    plain, ours = IMPORTS
    yield result.row(result.seconds(plain), case="import", name=plain, unit="s")
    yield result.row(
        result.differences(ours, plain),
        case="import",
        name="keras_asymbp adds",
        unit="s",
        goal=IMPORT_GOAL,
        sense="at most",
    )
    for flag in COMMANDS:
        yield result.row(
            result.seconds(flag),
            case="command",
            name=flag,
            unit="s",
            goal=COMMAND_GOAL,
            sense="at most",
        )
        yield row(
            tensorflow_modules(*_COMMAND, flag),
            case="command",
            name=f"{flag}: modules of TensorFlow imported",
            unit="",
            goal=0,
            sense="at most",
        )


def _process(*arguments):
    command = [sys.executable, *arguments]

    def run():
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

    return run


def tensorflow_modules(*arguments: str) -> int:
    """Number of TensorFlow modules that a Python process imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    # "import time:  self | cumulative | name of the module", indented.
    names = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    return sum(name.partition(".")[0] == "tensorflow" for name in names)
