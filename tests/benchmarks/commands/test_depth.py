import csv
import dataclasses
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from absl import flags

from keras_asymbp.benchmarks.commands import depth as depth_command
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables.protocol import PRESETS, Protocol, phases

MODULE = "keras_asymbp.benchmarks.depth"
FILES = {"depth.png", "depth.svg", "depth.md", "depth.csv", "results.csv"}


@pytest.fixture
def depth(benchmarks, tmp_path):
    """Runs the command in a folder; returns the finished process."""

    def run(*flags, **environment):
        folder = f"--results_dir={tmp_path / 'results'}"
        return benchmarks(folder, "--jobs=1", *flags, module=MODULE, **environment)

    return run


@pytest.fixture
def report(benchmarks):
    """Runs the command that writes a report of a folder."""

    def run(*flags):
        return benchmarks(*flags, module="keras_asymbp.benchmarks.commands.report")

    return run


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--networks=plane"], ["family of networks 'plane'", "plain, residual"]),
        (["--depths=2,x"], ["depth 'x' must be an integer"]),
        (["--depths=2,21"], ["unknown depth '21'", "2, 4, 6"]),
        (["--networks=residual", "--depths=2"], ["unknown depth '2'", "4, 6, 8"]),
        (["--models=SGD"], ["unknown model", "'SGD'", "RndF+BN+BM"]),
        (["--alignment_batches=0"], ["--alignment_batches must be 1 or more"]),
        (["--epochs=0"], ["--epochs must be 1 or more"]),
        (["--exp=C2"], ["exp", "--help"]),
    ],
)
def test_bad_input_is_one_line(flags, words, depth, tmp_path):
    done = depth(*flags)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    for word in words:
        assert word in line
    assert list(tmp_path.iterdir()) == []


def test_without_results_there_is_nothing_to_write(depth, tmp_path):
    done = depth("--notrain")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: no results in {tmp_path}/results: ")
    assert list(tmp_path.iterdir()) == []


def test_the_papers_protocol_is_one_command():
    values = flags.FlagValues()
    given = depth_command.Flags(values)
    rates = "--learning_rates=5e-2,5e-3,5e-4,5e-5,5e-6"
    values(["depth", "--preset=paper", rates])
    plans = depth_command.plans(given)
    assert len(plans) == 9
    for plan in plans:
        protocol = plan.setup.protocol
        paper = dataclasses.replace(protocol, architecture=None, alignment_batches=None)
        assert paper == Protocol() == PRESETS["paper"]
        assert phases(protocol.epochs, protocol.schedule) == (50, 10, 5)
        assert (protocol.batch_size, protocol.validation_share) == (100, 0)
        for cell in plan.cells():
            searched = [trial.learning_rate for trial in cell.trials()]
            assert searched == [5e-2, 5e-3, 5e-4, 5e-5, 5e-6]


def test_it_takes_one_data_set(depth, tiny_arrays, tmp_path):
    own = tmp_path / "own.npz"
    np.savez(own, **dataclasses.asdict(tiny_arrays))
    done = depth(f"--datasets=mnist_5k,{own}")
    assert done.returncode == 2
    assert done.stderr == (
        "error: --datasets names 2 data sets: the depth study takes one\n"
    )


@pytest.mark.slow
def test_a_run_from_the_command_to_picture_and_report(depth, report, tmp_path):
    flags = (
        *("--depths=2,4", "--models=BP,RndF+BN+BM", "--preset=smoke", "--threads=1"),
        *("--learning_rates=5e-4", "--train_examples=100", "--alignment_batches=1"),
    )
    done = depth(*flags)
    assert done.returncode == 0
    folder = tmp_path / "results"
    assert {path.name for path in folder.iterdir()} == FILES | {
        "trials",
        "leases",
        "logs",
    }
    last = done.stdout.splitlines()[-1]
    assert last == f"6 trials run, 0 found stored; picture: {folder}/depth.png"
    assert (folder / "depth.md").read_text() in done.stdout
    with (folder / "depth.csv").open() as file:
        rows = list(csv.DictReader(file))
    cells = [("plain", 2), ("plain", 4), ("residual", 4)]
    assert [(row["network"], row["model"], int(row["layer"])) for row in rows] == [
        (family, model, layer)
        for family, layers in cells
        for model in ("BP", "RndF+BN+BM")
        for layer in range(1, layers + 1)
    ]
    trials = {
        (t["settings"]["architecture"], t["model"]): t["result"]
        for t in Store(folder).trials()
    }
    for row in rows:
        name = f"{row['network']}-{row['depth']}"
        result = trials[name, row["model"]]
        assert float(row["error"]) == 100 * result["best_error"]
        angles = list(result["alignment"].values())[int(row["layer"]) - 1]
        assert float(row["gradient_angle"]) == angles["gradient_angle"]
        if row["model"] == "BP":
            assert angles == {"angle": 0.0, "gradient_angle": 0.0}
            assert float(row["error_norm_ratio"]) == 1
    assert (folder / "depth.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (folder / "depth.svg").read_text()
    # The alignment reaches the report, from the same trials.
    page = report(f"--results_dir={folder}")
    assert page.returncode == 0, page.stderr
    html = (folder / "report.html").read_text()
    (data,) = re.findall('<script type="application/json".*?>(.*?)</script>', html)
    shown = {t["file"]: t.get("alignment") for t in json.loads(data)["trials"]}
    assert len(shown) == 6
    for trial in Store(folder).trials():
        angles = trial["result"]["alignment"]
        layers = shown[trial["file"].rpartition("/")[2]]
        assert [each["layer"] for each in layers] == list(angles)
        for each, (_, stored) in zip(layers, angles.items(), strict=True):
            assert each["gradient_angle"] == pytest.approx(
                stored["gradient_angle"], rel=1e-3
            )
    # The same again trains nothing and makes the same files.
    before = (folder / "depth.csv").read_text()
    again = depth(*flags)
    assert "0 trials run, 6 found stored" in again.stdout
    assert (folder / "depth.csv").read_text() == before

    # So does --notrain, from what is stored, even in part.
    for file in ("depth.csv", "depth.md", "depth.png"):
        (folder / file).unlink()
    done = depth(*flags, "--notrain")
    assert done.returncode == 0, done.stderr
    assert "6 of 6 trials found stored; picture: " in done.stdout
    assert (folder / "depth.csv").read_text() == before
    next((folder / "trials").glob("*plain-2-BP-*")).unlink()
    done = depth(*flags, "--notrain")
    assert "5 of 6 trials found stored" in done.stdout
    assert not list((folder / "trials").glob("*plain-2-BP-*"))
    assert "| BP | ? |" in (folder / "depth.md").read_text()


def test_a_dry_run_counts(depth, tmp_path):
    done = depth("--depths=2,4", "--models=BP,RndF", "--seeds=0,1", "--dry_run")
    assert done.returncode == 0
    assert "12 cells, 36 trials, 36 to run" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_matplotlib_is_missing(tmp_path):
    code = (
        "import sys\n"
        "sys.modules['matplotlib'] = None\n"
        f"sys.argv = ['keras-asymbp', '--results_dir={tmp_path}/results']\n"
        "from keras_asymbp.benchmarks.commands.depth import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: matplotlib is not installed: "
        "pip install 'keras-asymbp[plots]' brings it\n"
    )
    assert list(tmp_path.iterdir()) == []
