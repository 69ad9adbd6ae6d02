import dataclasses
import json

import numpy as np
import pytest
import rich.console

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.commands import datasets as datasets_command
from keras_asymbp.benchmarks.commands import execute
from keras_asymbp.benchmarks.errors import UsageError

MODULE = "keras_asymbp.benchmarks.datasets"


@pytest.fixture
def command(benchmarks, tmp_path):
    """Runs the command with a folder of data sets that is empty at first."""

    def run(*flags, **environment):
        return benchmarks(
            *flags, f"--data_dir={tmp_path / 'data'}", module=MODULE, **environment
        )

    return run


@pytest.fixture
def npz(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "mine.npz"
    np.savez(
        path,
        x_train=rng.integers(0, 256, (60, 9, 7), dtype=np.uint8),
        y_train=np.arange(60) % 3,
        x_test=rng.integers(0, 256, (30, 9, 7), dtype=np.uint8),
        y_test=np.arange(30) % 3,
    )
    return path


def test_list(command, tmp_path, write_tfds):
    write_tfds(tmp_path / "data", "svhn_cropped", {"train": [0, 1], "test": [1]})
    folder = tmp_path / "data" / "lfw" / "0.1.1"
    folder.mkdir(parents=True)
    (folder / "dataset_info.json").write_text("{}")
    done = command("--list", PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0, done.stderr
    states = {
        line.split()[0]: line
        for line in done.stdout.splitlines()
        if line and not line.startswith(" ")
    }
    assert list(states) == list(datasets.DATASETS)
    assert "part of the package" in states["mnist_5k"]
    assert "there, version sha256-" in states["svhn"]
    assert "damaged: " in states["lfw_id"]
    assert str(folder) in states["lfw_id"]
    assert "missing: --prepare stl10 downloads it" in states["stl10"]
    assert "missing: --prepare sufr_w_id says how to get it" in states["sufr_w_id"]
    assert not {"tensorflow", "tensorflow_datasets", "keras"} & {
        line.rpartition("|")[2].strip() for line in done.stderr.splitlines()
    }


def test_help(command):
    done = command("--help")
    assert done.returncode == 0
    assert "--prepare" in done.stdout
    assert "Lists, prepares and checks the data sets" in done.stdout


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], ["nothing to do", "--list, --prepare NAME or --check NAME"]),
        (["prepare"], ["unexpected argument 'prepare'"]),
        (["--check=nope"], ["unknown data set 'nope'", "stl10"]),
        (["--check=stl10"], ["'stl10' is not prepared", "--prepare stl10"]),
        (["--check=mnist_5k", "--pictures={folder}/mine.npz/x"], ["--pictures"]),
        (["--prepare={folder}/none.npz"], ["no data set at", "none.npz"]),
        (["--prepare=/nothere", "--data_dir={folder}"], ["no data set at /nothere"]),
        (["--prepare=sufr_w_id"], ["sufr_w", "SUFR_README"]),
        (["--prepare=timit80"], ["LDC93S1"]),
    ],
)
def test_bad_input_is_one_line(flags, words, command, npz, tmp_path):
    done = command(*[flag.format(folder=tmp_path) for flag in flags])
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    for word in words:
        assert word in lines[0]
    assert "Traceback" not in done.stderr


def test_without_a_network_each_failure_is_named_and_the_rest_is_done(command, npz):
    # No proxy answers there: the same as on a machine without a network.
    proxies = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    done = command(f"--prepare=stl10,{npz},lfw_id", **proxies, no_proxy="")
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 2
    assert "ai.stanford.edu" in lines[0]
    assert "figshare" in lines[1]
    assert f"{npz}: there, version sha256-" in done.stdout


def test_check(command, npz, tmp_path):
    done = command(f"--check=mnist_5k,{npz}", f"--pictures={tmp_path / 'pictures'}")
    assert done.returncode == 0, done.stderr
    assert "train: 4000 examples of 10 classes, 400 of each" in done.stdout
    assert "test: 30 examples of 3 classes, 10 of each" in done.stdout
    for name in ("mnist_5k", "mine"):
        assert (tmp_path / "pictures" / f"{name}.png").read_bytes()[1:4] == b"PNG"


ICUBWORLD = (
    r"^icubworld has 60 \+ 20 training and test examples: expected 6,000 \+ 2,001; "
)


@pytest.fixture
def icubworld(write_tfds, tmp_path):
    """Of the 6,000 + 2,001 images of iCubWorld, 60 + 20."""
    labels = {"train": [*range(10)] * 6, "test": [*range(10)] * 2}
    write_tfds(tmp_path, "icubworld", labels, num_classes=10)
    return str(tmp_path)


@pytest.mark.parametrize("flag", ["prepare", "check"])
def test_other_counts_than_those_of_the_catalog(flag, icubworld, npz, capsys):
    """The other data sets are prepared and checked nevertheless."""
    names = ["icubworld", str(npz)]
    to_prepare, to_check = (names if flag == f else [] for f in ("prepare", "check"))
    with pytest.raises(UsageError, match=ICUBWORLD) as error:
        datasets_command._run(False, to_prepare, to_check, icubworld, icubworld)
    assert len(error.value.args) == 1
    assert "mine" in capsys.readouterr().out


def test_a_run_reports_all_data_that_can_not_be_used(icubworld, npz, make_plan):
    """Before anything is trained."""
    good = datasets.get(str(npz))
    too_many = dataclasses.replace(good, name="other", num_classes=2)
    plans = [make_plan(dataset=d) for d in (datasets.get("icubworld"), too_many, good)]
    with pytest.raises(UsageError, match=ICUBWORLD) as error:
        execute._fit_data(plans, icubworld, rich.console.Console())
    assert len(error.value.args) == 2
    assert "other has labels from 0 to 2: expected 2 classes" in error.value.args[1]


@pytest.mark.slow
def test_a_users_own_data_from_file_to_table(benchmarks, npz, tmp_path):
    flags = (f"--datasets={npz}", f"--results_dir={tmp_path / 'results'}")
    done = benchmarks(
        *("--exp=A", "--models=SGD", "--epochs=1", "--learning_rates=5e-4"), *flags
    )
    assert done.returncode == 0, done.stderr
    assert "| mine |" in done.stdout
    assert "| paper: no row | ? |" in done.stdout
    report = (tmp_path / "results" / "report.md").read_text()
    assert "`mine` is not the paper's data: 60 + 30 examples" in report
    assert "None" not in report
    (path,) = (tmp_path / "results" / "trials").iterdir()
    settings = json.loads(path.read_text())["settings"]
    assert settings["dataset"] == "mine"
    assert settings["data_version"].startswith("sha256-")
    assert str(tmp_path) not in json.dumps(settings)
    done = benchmarks("--claims", *flags)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    assert "mine" in done.stdout


def test_all_missing_data_sets_are_named_before_training(benchmarks, tmp_path):
    done = benchmarks(
        *("--exp=A", "--datasets=mnist_5k,stl10,timit80"),
        *(f"--data_dir={tmp_path / 'data'}", f"--results_dir={tmp_path / 'results'}"),
    )
    assert done.returncode == 2
    assert done.stdout == ""
    first, second = done.stderr.splitlines()
    assert "--prepare stl10" in first
    assert "--prepare timit80" in second
    assert not (tmp_path / "results").exists()
