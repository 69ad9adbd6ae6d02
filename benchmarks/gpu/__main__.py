"""Runs the suite on JAX for at most a given time; the next run goes on from there.

    python -m benchmarks.gpu --seconds 540 --wheels wheels -- --exp A --datasets mnist
    python -m benchmarks.gpu --seconds 540 --wheels wheels -- depth --preset paper

passes what follows -- to a subcommand of `keras-asymbp` that trains, `run` unless it is
named, beside --backend jax. When the time is up the command is stopped; finished trials
are stored, and its reports are written from all that are, by the same command with
--notrain. The machine needs neither TensorFlow nor a network; see README.md.
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

# The subcommands that train. The package is imported by the command alone, as it needs
# the wheels.
TRAIN = ("run", "depth", "ablation")
# Seconds that the suite has to end after Ctrl-C, before it is killed.
_GRACE = 15.0
# The exit code after Ctrl-C, and those of a suite that came to its end: all is done, a
# part failed, the request was bad.
_STOPPED = 130
_ENDED = (0, 1, 2)


def main(argv: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as site:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        if _WHEELS.value:
            install(pathlib.Path(_WHEELS.value), site)
            path = [site, os.environ.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, path))
        command = suite(argv[1:])
        started = time.monotonic()
        code = run(command, _SECONDS.value, environment)
        print(f"{time.monotonic() - started:.0f} s", flush=True)
        if code not in _ENDED:
            # The suite writes its reports only at its end.
            subprocess.run([*command, "--notrain"], env=environment, check=False)
    sys.exit(code)


def install(wheels: pathlib.Path, site: str) -> None:
    """Installs all wheels of a folder into another, without a network."""
    files = sorted(map(str, wheels.glob("*.whl")))
    if not files:
        sys.exit(f"error: {wheels} has no wheels: see benchmarks/gpu/README.md")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps"]
    if subprocess.run([*pip, "--target", site, *files], check=False).returncode:
        sys.exit(
            f"error: pip can't install the wheels in {wheels}: see benchmarks/gpu/"
            "README.md, and its message above"
        )


def suite(arguments: Sequence[str]) -> list[str]:
    """The command of the suite: `run`, or the subcommand that the arguments begin with.

    Exits with one line if that does not train.
    """
    name, flags_given = "run", list(arguments)
    if arguments and not arguments[0].startswith("-"):
        name, *flags_given = arguments
    if name not in TRAIN:
        sys.exit(f"error: '{name}' trains nothing: give {', '.join(TRAIN)} or flags")
    module = f"keras_asymbp.benchmarks.commands.{name}"
    return [sys.executable, "-m", module, "--backend=jax", "--jobs=1", *flags_given]


def run(command: Sequence[str], seconds: float, environment) -> int:
    """Runs a command, and stops it as Ctrl-C does when the time is up, or at Ctrl-C.

    Returns:
        Its exit code; 130, as the suite's after Ctrl-C, if it was stopped.
    """
    # In a session of its own Ctrl-C reaches it once, from here: twice ends it at once.
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        return process.wait(seconds)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.send_signal(signal.SIGINT)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:  # compiling, for example, can't be interrupted
        process.kill()
        process.wait()
    return _STOPPED


if __name__ == "__main__":
    app.run(main)
