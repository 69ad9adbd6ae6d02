"""Runs the suite on JAX for at most a given time; the next run goes on from there.

    python -m benchmarks.gpu --seconds 540 --wheels wheels -- --exp A --datasets mnist

passes what follows -- to `python -m keras_asymbp.benchmarks`, beside --backend jax.
When the time is up the suite is stopped; finished trials are stored, and the report is
made of all that are. The machine needs neither TensorFlow nor a network; see README.md.
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from absl import app, flags

_SECONDS = flags.DEFINE_float(
    "seconds", 540.0, "Seconds after which the suite is stopped.", lower_bound=0
)
_WHEELS = flags.DEFINE_string(
    "wheels", None, "Folder of wheels to use, such as Keras's, if it isn't installed."
)

_SUITE = (sys.executable, "-m", "keras_asymbp.benchmarks")
_REPORT = (sys.executable, "-m", "keras_asymbp.benchmarks.commands.subcommands")
# Seconds that the suite has to end after Ctrl-C, before it is killed.
_GRACE = 15.0
# The exit code after Ctrl-C.
_STOPPED = 130


def main(argv: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as site:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        if _WHEELS.value:
            install(pathlib.Path(_WHEELS.value), site)
            path = [site, os.environ.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, path))
        command = [*_SUITE, "--backend=jax", "--jobs=1", *argv[1:]]
        started = time.monotonic()
        code = run(command, _SECONDS.value, environment)
        print(f"{time.monotonic() - started:.0f} s", flush=True)
        if code:
            # The suite writes its report only at its end.
            folder = results_dir(argv[1:])
            subprocess.run([*_REPORT, "report", *folder], env=environment, check=False)
    sys.exit(code)


def install(wheels: pathlib.Path, site: str) -> None:
    """Installs all wheels of a folder into another, without a network."""
    files = sorted(map(str, wheels.glob("*.whl")))
    if not files:
        sys.exit(f"error: {wheels} has no wheels: see benchmarks/gpu/README.md")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--target", site, *files], check=True)


def results_dir(arguments: Sequence[str]) -> list[str]:
    """The flag --results_dir with its value, in one word or two; empty without it."""
    for number, word in enumerate(arguments):
        if word.partition("=")[0] in ("-results_dir", "--results_dir"):
            return list(arguments[number : number + 1 + ("=" not in word)])
    return []


def run(command: Sequence[str], seconds: float, environment) -> int:
    """Runs a command, and stops it as Ctrl-C does when the time is up.

    Returns:
        Its exit code; 130, as the suite's after Ctrl-C, if it was stopped.
    """
    process = subprocess.Popen(command, env=environment)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:  # compiling, for example, can't be interrupted
        process.kill()
        process.wait()
    return _STOPPED


if __name__ == "__main__":
    app.run(main)
