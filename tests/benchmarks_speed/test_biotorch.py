import subprocess

import pytest

from benchmarks.speed import biotorch, workloads
from keras_asymbp.benchmarks.errors import UsageError


def test_the_peer_gets_the_same_network():
    said = biotorch.specification(workloads.asymmetric("cifar", "brSF"), "brSF", 10)
    assert said["layers"] == [
        ["conv", 3, 32, 5, 1, 2],
        ["relu"],
        ["max", 3, 2, True],
        ["conv", 32, 64, 5, 1, 2],
        ["relu"],
        ["average", 3, 2, True],
        ["conv", 64, 64, 5, 1, 2],
        ["relu"],
        ["average", 3, 2, True],
        ["flatten"],
        ["dense", 4 * 4 * 64, 128],
        ["relu"],
        ["dense", 128, 10],
    ]
    assert said["rule"] == "brsf"
    assert said["input_shape"] == (32, 32, 3)
    assert said["batch"] == 100


def test_it_is_installed_once(tmp_path, monkeypatch):
    commands = []

    def run(command, **options):
        commands.append([str(part) for part in command])
        tmp_path.joinpath("env").mkdir(exist_ok=True)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    for _ in range(2):
        python = biotorch.installed(tmp_path / "env")
    assert python == tmp_path / "env/bin/python"
    made, torch, layers = commands
    assert made[1:3] == ["-m", "venv"]
    assert "--no-deps" in layers
    assert "--no-deps" not in torch


def test_an_installation_that_fails_is_tried_again(tmp_path, monkeypatch):
    commands = []

    def run(command, **options):
        commands.append(command)
        return subprocess.CompletedProcess(command, len(commands) % 2 == 0)

    monkeypatch.setattr(subprocess, "run", run)
    for number in (1, 2):
        with pytest.raises(UsageError, match="can't be installed"):
            biotorch.installed(tmp_path / "env")
        assert len(commands) == 2 * number
