import os
import pathlib
import re
import shlex
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
SLOW_IMPORTS = {"tensorflow", "keras", "keras_tuner", "tensorflow_datasets", "rich"}
CONFIG = """
experiment: {seed: 2021}
data: {dataset: mnist}
model: {architecture: resnet20, mode: {type: usf}, colour: blue}
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


def test_the_command_prints_three_parts(command, tmp_path):
    file = write(tmp_path, "usf.yaml", CONFIG)
    done = command(file, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    parts = re.split("^([A-Z].*):$", done.stdout, flags=re.MULTILINE)
    assert parts[1::2] == ["Command", "In Python", "Without an exact equivalent"]
    assert "--models uSF" in parts[2]
    assert "asymmetrize(" in parts[4]
    assert "model.colour: unknown" in parts[6]
    names = re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE)
    assert "yaml" in names
    assert not {name.partition(".")[0] for name in names} & SLOW_IMPORTS


def test_flags_after_the_first_word_belong_to_the_peer(command):
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


def test_a_missing_yaml_package_is_named(command, tmp_path):
    write(tmp_path, "yaml.py", "raise ModuleNotFoundError(name='yaml')")
    file = write(tmp_path, "usf.yaml", CONFIG)
    done = command(file, PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    assert done.returncode == 2
    assert "pip install 'keras-asymbp[benchmarks]'" in done.stderr


def test_the_example_on_the_page(command, benchmarks, tmp_path):
    """The page shows the translation of its own file."""
    page = (ROOT / "docs" / "from-biotorch.md").read_text(encoding="utf-8")
    (config,) = re.findall("^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (shown,) = re.findall("^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    done = command(write(tmp_path, "usf.yaml", config))
    assert done.stdout == shown
    # The command shown there is accepted.
    line = next(line for line in shown.splitlines() if line.startswith("python -m "))
    planned = benchmarks(*shlex.split(line)[3:], "--dry_run", timeout=120)
    assert planned.returncode == 0, planned.stderr
    assert "mnist: 1 cell, 1 trial" in planned.stdout
