import os
import pathlib
import subprocess
import sys

import pytest

import benchmarks

_ROOT = pathlib.Path(benchmarks.__file__).parents[1]


@pytest.fixture
def run_program():
    """Runs a program of `benchmarks` in a process of its own, with flags of its own.

    The test fails if the exit code is not `code`; other keywords are variables of the
    environment.
    """

    def run(name, *arguments, code=0, **environment):
        path = {"PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path])}
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", *arguments],
            env=os.environ | path | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, done.stderr[-3000:]
        return done

    return run
