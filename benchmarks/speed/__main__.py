"""Compares the speed of the package with stock Keras, BioTorch and the machine.

    python -m benchmarks.speed --question step_time --json step_time.json

answers one question; without --question it answers all. Each table has the goal of each
figure, and whether it is met. --read shows files made by --json and measures nothing.
"""

import importlib
import json
import os
import sys

from absl import flags

from benchmarks import measurements
from benchmarks.speed import report
from benchmarks.speed.measure import Options
from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.errors import UsageError, unknown
from keras_asymbp.benchmarks.networks import TABLE_1
from keras_asymbp.benchmarks.tables.protocol import PRESETS

# Each is a module here with a TITLE and a function `rows` of `Options`.
QUESTIONS = (
    *("step_time", "biotorch", "machine_share", "search_cost", "main_job"),
    *("memory", "start_up", "growth", "backend", "epoch_program"),
)

_QUESTION = flags.DEFINE_multi_string(
    "question",
    None,
    f"What to measure, once or more: {', '.join(QUESTIONS)}; by default all.",
)
_ROUNDS = flags.DEFINE_integer("rounds", 7, "Measurements of each contestant.")
_DEVICE = flags.DEFINE_string("device", "cpu", "cpu, or gpu with XLA.")
_ARCHITECTURES = flags.DEFINE_list(
    "architectures",
    list(Options.architectures),
    f"Networks of Table 1, separated by commas: {', '.join(TABLE_1)}.",
)
_PRESET = flags.DEFINE_string(
    "preset",
    Options.preset,
    f"Preset of search_cost and main_job, one of {', '.join(PRESETS)}.",
)
_BIOTORCH_ENV = flags.DEFINE_string(
    "biotorch_env",
    "~/.cache/keras_asymbp/biotorch",
    "Folder of BioTorch's virtual environment, created if missing.",
)
_JSON = flags.DEFINE_string(
    "json", None, "File for the figures, with command, machine and versions."
)
_PICTURE = flags.DEFINE_string("picture", None, "File for a picture: .svg, .png, .pdf.")
_READ = flags.DEFINE_multi_string(
    "read", None, "Show a file made by --json, once or more; measure nothing."
)


def main() -> None:
    program.start(
        _run,
        "python -m benchmarks.speed",
        __doc__,
        stopped="stopped; --json has the finished rows",
    )


def _run() -> int:
    if _READ.value:
        records = [measurements.read(path) for path in _READ.value]
    else:
        names, options = _wanted()
        if not _ready(options.device):
            print("no GPU")
            return 0
        records = [_measured(names, options)]
    print(report.tables(records))
    if _PICTURE.value:
        from benchmarks.speed import picture

        picture.draw(records, _PICTURE.value)
    return 0


def _wanted() -> tuple[list[str], Options]:
    names = list(dict.fromkeys(_QUESTION.value or QUESTIONS))
    for kind, chosen, known in (
        ("question", names, QUESTIONS),
        ("device", [_DEVICE.value], ("cpu", "gpu")),
        ("architecture", _ARCHITECTURES.value, TABLE_1),
        ("preset", [_PRESET.value], PRESETS),
    ):
        for name in chosen:
            if name not in known:
                raise unknown(kind, name, known)
    if _ROUNDS.value < 1:
        raise UsageError(f"--rounds must be 1 or more, not {_ROUNDS.value}")
    return names, Options(
        rounds=_ROUNDS.value,
        device=_DEVICE.value,
        architectures=tuple(_ARCHITECTURES.value),
        preset=_PRESET.value,
        biotorch_env=_BIOTORCH_ENV.value,
    )


def _ready(device: str) -> bool:
    """Selects the device; returns whether it exists."""
    # JAX must leave memory of a GPU to child processes.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if device == "cpu":
        # Read by this process and its children.
        os.environ |= {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    if environment.backend() == "tensorflow":
        import tensorflow as tf

        # It warns of many traces, which are intended.
        tf.get_logger().setLevel("ERROR")
    from keras_asymbp.benchmarks.training.device import accelerator

    return device == "cpu" or accelerator() is not None


def _measured(names, options) -> measurements.Record:
    load = round(os.getloadavg()[0], 2)
    record = measurements.describe(device=options.device, load=load) | {"rows": []}
    for name in names:
        question = importlib.import_module(f"benchmarks.speed.{name}")
        for row in question.rows(options):
            record["rows"].append({"question": name, "title": question.TITLE} | row)
            print(json.dumps(record["rows"][-1]), file=sys.stderr, flush=True)
            if _JSON.value:  # after each row, so that Ctrl-C loses none
                measurements.write(record, _JSON.value)
    return record


if __name__ == "__main__":
    main()
