import os
import pathlib
import re
import shlex
import sys

import pytest

from keras_asymbp.benchmarks.commands import translate
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.peers import translation
from keras_asymbp.benchmarks.peers.options import (
    BIOTORCH,
    SIGN_SYMMETRY,
)

ROOT = pathlib.Path(__file__).resolve().parents[2]
SLOW_IMPORTS = {"tensorflow", "keras", "keras_tuner", "tensorflow_datasets", "rich"}
CONFIG = """
experiment:
  name: "usf"
  seed: 2021
  description:        # null: not given
data: {dataset: mnist}
model:
  architecture: "resnet20"
  mode:
    type: "usf"
    options: {init: "xavier", gradient_clip: false}
  colour: blue
training:
  optimizer: {lr: 1e-3, weight_decay: 0.0001}
  lr_scheduler: {milestones: [100, 150]}
evaluation: true
extra: {a: {b: 1}}
"""


@pytest.fixture
def command(benchmarks):
    def run(*arguments, **environment):
        module = "keras_asymbp.benchmarks.commands.translate"
        return benchmarks(*arguments, module=module, timeout=120, **environment)

    return run


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_keys_of_a_file(tmp_path):
    options, given = translate.read([write(tmp_path, "usf.yaml", CONFIG)])
    assert options is BIOTORCH
    assert given == {
        "experiment.name": "usf",
        "experiment.seed": 2021,
        "data.dataset": "mnist",
        "model.architecture": "resnet20",
        "model.mode.type": "usf",
        "model.mode.options.init": "xavier",
        "model.mode.options.gradient_clip": False,
        "model.colour": "blue",
        "training.optimizer.lr": "1e-3",  # what YAML makes of it
        "training.optimizer.weight_decay": 0.0001,
        "training.lr_scheduler.milestones": [100, 150],
        "evaluation": True,
        "extra": {"a": {"b": 1}},
    }


def test_a_file_of_other_things_runs_nothing(tmp_path):
    for text, words in (
        ("!!python/object/apply:os.mkdir [made]", "is no YAML"),
        ("a: [1", "is no YAML"),
        ("a: &a [*a]\nb: 2020-99-99", "is no YAML"),
        ("- 1\n- 2", "is no configuration file of BioTorch"),
        ("", "is no configuration file of BioTorch"),
    ):
        with pytest.raises(UsageError, match=words):
            translate.read([write(tmp_path, "x.yaml", text)])
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--algo", "sham", "--arch=alexnet", "-b64", "--nsc", "photos"],
        ["train.py", "photos", "--al", "sham", "-aalexnet", "-b", "64", "--nsc"],
        [
            "CUDA_VISIBLE_DEVICES=0 python3 ../train.py --algo sham -a alexnet -b 64 "
            "--no-sign-change photos"
        ],
    ],
)
def test_a_command_line_as_its_own_script_reads_it(arguments):
    options, given = translate.read(arguments)
    assert options is SIGN_SYMMETRY
    assert given == {
        "--algo": "sham",
        "--arch": "alexnet",
        "--batch-size": "64",
        "--no-sign-change": True,
        "data": "photos",
    }


def test_a_command_line_in_a_file(tmp_path):
    text = "# the best so far\npython train.py \\\n  --llr 0.01 \\\n  'my photos'\n"
    _, given = translate.read([write(tmp_path, "best.sh", text)])
    assert given == {"--llr": "0.01", "data": "my photos"}


def test_what_is_no_command_line():
    for words, message in (
        (["train.py", "--lrr", "1"], "would not take this command line: .*--lrr"),
        (["train.py", "--last", "x"], "ambiguous option: --last"),
        (["train.py", "--epochs"], "--epochs"),
        (["--algo 'sham"], "the command line can't be read"),
        ([], "name a configuration file of BioTorch"),
        (["nothing.yaml"], "can't read 'nothing.yaml'"),
    ):
        with pytest.raises(UsageError, match=message):
            translate.read(words)


def test_the_command(command, tmp_path):
    file = write(tmp_path, "usf.yaml", CONFIG)
    done = command(file, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    parts = re.split("^([A-Z].*):$", done.stdout, flags=re.MULTILINE)
    assert parts[1::2] == [
        *("Command", "In Python"),
        "Without an equivalent, or with another",
    ]
    assert "--models uSF" in parts[2]
    assert "asymmetrize(" in parts[4]
    assert "model.colour: unknown" in parts[6]
    names = re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE)
    assert "yaml" in names
    assert not {name.partition(".")[0] for name in names} & SLOW_IMPORTS


def test_flags_after_the_first_word_are_the_peer_s(command):
    for start in (["--"], ["train.py"]):
        done = command(*start, "--lr", "0.25", "photos")
        assert done.returncode == 0, done.stderr
        assert "--learning_rates 0.0025" in done.stdout


def test_an_error_is_one_line(command, tmp_path):
    for arguments in (
        [write(tmp_path, "a.yaml", "a: [1\nTraceback: x")],
        [write(tmp_path, "b.yaml", 'training: {optimizer: {lr: "fast\\e[1m"}}')],
    ):
        done = command(*arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith("error: ")
        assert "\x1b" not in line


def test_a_few_lines_that_stand_for_gigabytes(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for n in range(12):
        lines.append(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]")
    lines += ["experiment: {name: *a12}", "again: &again {again: *again}"]
    options, given = translate.read([write(tmp_path, "x.yaml", "\n".join(lines))])
    with pytest.raises(UsageError, match=r"experiment\.name must be a text") as raised:
        translation.translate(options, given)
    assert len(str(raised.value)) < 10_000


def test_without_its_reader_of_yaml(command, tmp_path):
    write(tmp_path, "yaml.py", "raise ModuleNotFoundError(name='yaml')")
    file = write(tmp_path, "usf.yaml", CONFIG)
    done = command(file, PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    assert done.returncode == 2
    assert "pip install 'keras-asymbp[benchmarks]'" in done.stderr


def test_the_example_on_the_page(command, benchmarks, tmp_path):
    """What the page shows is what its file is translated to."""
    page = (ROOT / "docs" / "from-biotorch.md").read_text(encoding="utf-8")
    (config,) = re.findall("^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (shown,) = re.findall("^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    done = command(write(tmp_path, "usf.yaml", config))
    assert done.stdout == shown
    # The command that it shows is one.
    line = next(line for line in shown.splitlines() if line.startswith("python -m "))
    planned = benchmarks(*shlex.split(line)[3:], "--dry_run", timeout=120)
    assert planned.returncode == 0, planned.stderr
    assert "mnist: 1 cells, 1 trials" in planned.stdout
