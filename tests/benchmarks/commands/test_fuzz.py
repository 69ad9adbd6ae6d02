"""Whatever is typed, a command ends with an exit code of its own and no traceback."""

import importlib
import json
import os
import pathlib
import random
import subprocess
import sys

import numpy as np
import pytest
from absl import flags

from keras_asymbp.benchmarks.commands.subcommands import SUBCOMMANDS

COUNT, SEED = 200, 19
NONSENSE = (
    # Numbers
    *(
        "0",
        "-1",
        "1",
        "2",
        "3.5",
        "1e400",
        "nan",
        "inf",
        "-inf",
        "1e-320",
        "0x10",
        "1_0",
    ),
    *("1" * 400, str(2**31), str(2**64), "-" + "9" * 30, "٣", "0,0,0", "1,1"),
    # Texts
    *("", " ", ",", ",,", "x", "a,a,b", '"', '"a,b"', "a\nb", "\x1b[31mred", "\u202eb"),
    *(
        "木" * 80,
        "a" * 5000,
        "[red]x[/]",
        "%s{0}",
        "=1+1",
        "<b>",
        "|",
        "$(x)",
        "\udcff",
    ),
    *("None", "true", "false", "all", "auto"),
    # Paths, but none of a folder of the machine, and flags
    *("~nobody/x", "a\udc80.npz", "--", "-x"),
)
# Values that some flag takes, so that others are read, too.
USUAL = {
    "exp": ["C2", "A", "all", "C2,BM", "b1"],
    "models": ["SGD", "uSF", "SGD,SGD", "BP,uSF+BN+BM"],
    "datasets": ["mnist_5k", "mnist", "mnist_5k,mnist_5k", "cifar10,mnist_5k"],
    "preset": ["smoke", "quick", "paper"],
    "architecture": ["lenet-mnist", "ResNet50", "mnist", "timit"],
    "augmentation": ["standard"],
    "reading": ["pixels-normal-sum-decay", "unit-he-mean-nodecay"],
    "readings": [
        "pixels-normal-sum-decay",
        "unit-he-mean-nodecay,unit-he-mean-nodecay",
    ],
    "networks": ["plain", "residual", "plain,plain"],
    "depths": ["2", "2,4,2", "20"],
    "backend": ["tensorflow", "jax"],
    "executor": ["local", "ray"],
    "results_by": ["driver", "workers"],
    "check": ["mnist_5k"],
    "list": ["true", "networks", "DATASETS"],
}
ABSL = (
    *("v", "verbosity", "stderrthreshold", "log_dir", "flagfile", "undefok"),
    "only_check_args",
)


def names(command):
    """The names of a command's flags."""
    values = flags.FlagValues()
    importlib.import_module(SUBCOMMANDS[command].module).Flags(values)
    return [*values, *ABSL]


@pytest.fixture
def places(tmp_path):
    """Paths of all kinds, in a folder of their own."""
    folder = tmp_path / "places"
    folder.mkdir()
    (folder / "empty").mkdir()
    (folder / "classes" / "train" / "a\x1b[31m").mkdir(parents=True)
    (folder / "classes" / "9.png").mkdir()
    (folder / "stored" / "trials").mkdir(parents=True)
    (folder / "stored" / "trials" / "a\n\udcff.json").write_text('{"schema": 1}')
    (folder / "file").write_text("--exp=C9\n")
    (folder / "half.npz").write_bytes(b"PK\3\4 and no more")
    arrays = {"x_train": np.zeros((20, 8, 8)), "y_train": np.arange(20) % 2}
    arrays |= {"x_test": np.zeros((4, 8, 8)), "y_test": np.arange(4) % 2}
    for name in ("own.npz", "=1+1\x1b[31m[red]\u202e.npz"):
        np.savez(folder / name, **arrays)
    (folder / "train.yaml").write_text("a: [")
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder / "pipe.npz")
    (folder / "circle").symlink_to(folder / "circle")
    (folder / "dangling.npz").symlink_to(folder / "nothing")
    found = [str(path) for path in sorted(folder.iterdir())]
    return [*found, str(folder / "missing" / "x"), f"{folder}/file/x", "/dev/null"]


def readable(places):
    """The places without pipes: a command that reads a user's pipe waits for more."""
    return [place for place in places if "pipe" not in place]


def command_line(source, places, results):
    """A random command line."""
    command = source.choice([*SUBCOMMANDS, "run", "run", "depth", "ablation"])
    if source.random() < 0.02:
        return [source.choice(NONSENSE), *source.sample(NONSENSE, 2)]
    arguments = []
    if command == "run" and source.random() < 0.9:
        arguments.append(f"--exp={source.choice(USUAL['exp'])}")
    known = names(command)
    for name in source.sample(known, min(len(known), source.randrange(7))):
        kind = source.random()
        pool = USUAL.get(name, ["1", "2"]) if kind < 0.5 else NONSENSE
        if kind > (0.3 if name.endswith("_dir") else 0.85):
            pool = places
        if name == "flagfile":
            pool = readable(pool)
        arguments.append(f"--{name}={source.choice(pool)}")
    if source.random() < 0.1 or command in ("translate", "completion"):
        arguments.append(source.choice([*NONSENSE, *readable(places)]))
    if command in ("run", "depth", "ablation"):
        if source.random() < 0.8:
            arguments.append("--dry_run")
        else:
            # What is started must end soon.
            arguments += ["--preset=smoke", "--epochs=1", "--jobs=1"]
            arguments += ["--executor=local", "--retries=0"]
            if command == "depth":
                arguments.append("--depths=2")
        if not any(argument.startswith("--results_dir") for argument in arguments):
            arguments.append(f"--results_dir={results}")
    # NUL ends an argument, wherever it comes from.
    return [command, *(argument.replace("\0", "") for argument in arguments)]


@pytest.fixture
def end_of(tmp_path):
    """Runs command lines, one after the other; returns how each ended."""
    script = pathlib.Path(__file__).parents[1] / "fuzz.py"
    notes = tmp_path / "notes"
    notes.mkdir()
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "STAND_IN": json.dumps({"notes": str(notes), "faults": [], "seconds": 0}),
        },
    )

    def end_of(arguments):
        process.stdin.write(json.dumps(arguments) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    with process:
        yield end_of


def fault(code, stdout, stderr):
    """What is wrong with how a command ended; None if nothing is."""
    if code not in (0, 1, 2, 130):
        return f"exit code {code}"
    if "Traceback" in stderr or "Timeout" in stderr:
        return "a traceback"
    for text in (stdout, stderr):
        if not text.replace("\n", "").isprintable():
            return "control characters"
    errors = [line for line in stderr.splitlines() if line.startswith("error: ")]
    if code == 2 and (not errors or len(errors) != len(stderr.splitlines())):
        return "not one line for each error"
    return None


@pytest.mark.slow
def test_random_command_lines(tmp_path, places, end_of):
    source = random.Random(SEED)
    faults = []
    for number in range(COUNT):
        arguments = command_line(source, places, tmp_path / "results")
        ended = end_of(arguments)
        if wrong := fault(*ended):
            faults.append((number, wrong, arguments, *ended))
    assert not faults, "\n\n".join(map(str, faults))
