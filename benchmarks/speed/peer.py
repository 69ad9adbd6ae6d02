"""A contestant in a process of its own, which lives on from round to round.

The process runs a round for each line of its input, and prints a line of JSON for it:
wall-clock seconds and processor seconds.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.speed.measure import Taken
from keras_asymbp.benchmarks.errors import UsageError


class Peer:
    """A call runs a round and returns the time of a step; a context manager.

    Args:
        name: For messages.
        command: The process's command.
        steps: Number of steps in a round.
        environment: Environment variables of the process, beside our own.
    """

    def __init__(
        self,
        name: str,
        command: Iterable[Any],
        steps: int,
        environment: Mapping[str, str] | None = None,
    ):
        self._name, self._steps = name, steps
        self._process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )

    def __call__(self) -> Taken:
        self._process.stdin.write("round\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise UsageError(
                f"the process of {self._name} has ended: its error is printed above"
            )
        wall, cpu = json.loads(line)
        return Taken(wall / self._steps, cpu / self._steps, elsewhere=cpu)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.communicate()  # it exits at the end of its input


def serve(run) -> None:
    """Runs a round for each line of the input, in the process of a peer.

    Args:
        run: Runs a round; returns its wall-clock seconds and processor seconds.
    """
    for _ in sys.stdin:
        print(json.dumps(run()), flush=True)
