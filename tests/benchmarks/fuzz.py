"""Runs command lines of the program, each in a process of its own, without training.

`python fuzz.py FOLDER` reads lists of arguments from standard input, as JSON, and
prints a line of JSON for each: its exit code, or minus the signal that ended it, and
what it wrote. A process is a fork, which starts at once; `stand_in.py` trains.
"""

import faulthandler
import json
import os
import pathlib
import sys

sys.argv[0] = "keras-asymbp"  # by which keras_asymbp knows not to import TensorFlow
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import rich.console  # noqa: E402, F401
import stand_in  # noqa: E402

# What the commands import when they need it.
import keras_asymbp.benchmarks.commands.claims  # noqa: E402
import keras_asymbp.benchmarks.commands.depth  # noqa: E402
import keras_asymbp.benchmarks.commands.report  # noqa: E402
import keras_asymbp.benchmarks.commands.run  # noqa: E402
import keras_asymbp.benchmarks.depth.picture  # noqa: E402
import keras_asymbp.benchmarks.reports.files  # noqa: E402
import keras_asymbp.benchmarks.reports.terminal  # noqa: E402
import keras_asymbp.benchmarks.results.inventory  # noqa: E402
import keras_asymbp.benchmarks.run.planning  # noqa: E402
import keras_asymbp.benchmarks.run.progress  # noqa: E402, F401
from keras_asymbp.benchmarks import guard  # noqa: E402
from keras_asymbp.benchmarks.commands import doctor, subcommands  # noqa: E402
from keras_asymbp.benchmarks.datasets import download  # noqa: E402
from keras_asymbp.benchmarks.errors import UsageError  # noqa: E402
from keras_asymbp.benchmarks.run import runner  # noqa: E402

_SECONDS = 60


def refuse(*_):
    raise UsageError("no downloads here")


def child(arguments, folder):
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_CREAT | os.O_TRUNC | os.O_WRONLY), number)
    guard.install()  # anew, on these files
    faulthandler.dump_traceback_later(_SECONDS, exit=True)
    runner.Workbench = stand_in.Bench
    download.download = refuse
    doctor._keras = tuple  # imports Keras
    sys.argv = ["keras-asymbp", *arguments]
    subcommands.main()


def run(arguments, folder):
    process = os.fork()
    if not process:
        code = 1
        try:
            child(arguments, folder)
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else bool(error.code)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(code or 0)
    _, status = os.waitpid(process, 0)
    written = [
        (folder / name).read_bytes().decode("utf-8", "surrogateescape")
        for name in ("stdout", "stderr")
    ]
    return os.waitstatus_to_exitcode(status), *written


if __name__ == "__main__":
    (folder,) = map(pathlib.Path, sys.argv[1:])
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line), folder)), flush=True)
