"""Tables of a user's own, from the command line to the report."""

import pathlib
import re

import pytest

from keras_asymbp.benchmarks.results import inventory
from keras_asymbp.benchmarks.results.store import Store

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "docs" / "examples"
YAML, PYTHON = EXAMPLES / "right_signs.yaml", EXAMPLES / "decays.py"


def test_it_is_run_in_processes_and_reported_by_its_folder_alone(stand_in, tmp_path):
    flags = f"--exp={YAML},{PYTHON}", "--models=10 % wrong,FA,KP 0,KP 0.001"
    done = stand_in(*flags, jobs=2)
    assert done.returncode == 0, done.stderr
    held = inventory.take(Store(tmp_path / "results"))
    assert [p.experiment.name for p in held.plans()] == ["decays", "right signs"]
    models = {trial["model"] for trial in held.store.trials()}
    assert models == {"10 % wrong", "FA", "KP 0", "KP 0.001"}
    text = (tmp_path / "results" / "report.md").read_text(encoding="utf-8")
    command = re.search(r"^    (python .* --exp .*)$", text, re.MULTILINE)[1]
    assert f" --exp {YAML},{PYTHON} --datasets mnist_5k --models '10 % wrong" in command


@pytest.mark.slow
def test_a_folder_that_takes_no_table_is_a_warning(stand_in, tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "experiments").write_text("mine")
    done = stand_in(f"--exp={YAML}", "--models=FA")
    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == (
        f"warning: can't store the table in {folder} (File exists)"
    )


def test_list_and_dry_run_know_it(benchmarks):
    done = benchmarks(f"--exp={YAML}", "--list=experiments")
    assert "\n  right signs     How many signs must be right?" in done.stdout
    done = benchmarks(f"--exp={YAML}", "--dry_run", "--preset=smoke", "--models=FA,BP")
    assert "mnist_5k: 2 cells, 4 trials" in done.stdout
    done = benchmarks(f"--exp={YAML}", "--models=SGD")
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown model of experiment right signs 'SGD'" in done.stderr


def test_a_network_that_does_not_fit_is_a_fault_of_the_file(benchmarks, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        "name: mine\ntitle: Mine\nnetworks: {mnist: timit}\n"
        "columns: [{name: SGD}, {name: uSF, rule: uSF}]\n"
    )
    done = benchmarks(f"--exp={file}", "--dry_run")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: can't read {file} (mnist_5k has images, and the ")
    # One that a flag names is not.
    done = benchmarks(f"--exp={YAML}", "--dry_run", "--architecture=timit")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: mnist_5k has images, and the network 'timit'")


@pytest.mark.slow
def test_it_is_trained(benchmarks, tmp_path):
    flags = f"--exp={YAML},{PYTHON}", "--preset=smoke", f"--results_dir={tmp_path}"
    done = benchmarks(*flags, "--models=FA,KP 0", "--learning_rates=5e-4")
    assert done.returncode == 0, done.stderr
    settings = [trial["settings"] for trial in Store(tmp_path).trials()]
    found = sorted((each["feedback"], each["weight_decay"]) for each in settings)
    assert found == [("KP", 0.0), ("RndF", 5e-4)]
