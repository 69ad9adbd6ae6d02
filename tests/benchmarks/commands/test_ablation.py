import dataclasses

import numpy as np
import pytest
from absl import flags

from keras_asymbp.benchmarks.commands import ablation as ablation_command
from keras_asymbp.benchmarks.commands import execute
from keras_asymbp.benchmarks.results.store import Store

MODULE = "keras_asymbp.benchmarks.commands.ablation"


@pytest.fixture
def ablation(benchmarks, tmp_path):
    """Runs the command in a folder; returns the finished process."""

    def run(*flags):
        folder = f"--results_dir={tmp_path / 'results'}"
        return benchmarks(folder, "--jobs=1", *flags, module=MODULE)

    return run


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--readings=unit"], ["unknown reading 'unit'", "pixels-normal-sum-decay"]),
        (
            ["--reading=unit-he-sum-decay", "--dry_run"],
            ["unknown flag", "'--readings'"],
        ),
        (["--epochs=0"], ["--epochs must be 1 or more"]),
    ],
)
def test_bad_input_is_one_line(given, words, ablation, tmp_path):
    done = ablation(*given)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    for word in words:
        assert word in line
    assert list(tmp_path.iterdir()) == []


def test_it_takes_one_data_set(ablation, tiny_arrays, tmp_path):
    own = tmp_path / "own.npz"
    np.savez(own, **dataclasses.asdict(tiny_arrays))
    done = ablation(f"--datasets=mnist_5k,{own}")
    assert done.returncode == 2
    assert done.stderr == (
        "error: --datasets names 2 data sets: the ablation takes one\n"
    )


def test_the_work_of_all_readings(ablation):
    done = ablation("--preset=smoke", "--dry_run")
    # 16 readings of 9 models at 2 rates.
    assert "144 cells, 288 trials" in done.stdout


def test_failures_are_kept_when_rates_beyond_are_trained(
    finish, tmp_path, monkeypatch, capsys
):
    failed = []

    def execute_(planned, *_, **__):
        store = Store(tmp_path)
        cells = [cell for plan in planned for cell in plan.cells()]
        failures = {}
        if not failed:
            failed.append(cells.pop())
            failures = {failed[0]: "no memory"}
        for cell in cells:
            for trial in cell.trials():
                finish(store, cell, trial, 0.25)
        return execute.Outcome(store, failures, f"{len(cells)} cells run")

    monkeypatch.setattr(execute, "execute", execute_)
    values = flags.FlagValues()
    given = ablation_command.Flags(values)
    folder = f"--results_dir={tmp_path}"
    values(["", "--preset=smoke", "--readings=unit-he-sum-decay", folder])
    assert ablation_command._run(given) == 1
    done = capsys.readouterr()
    assert done.out.endswith("8 cells run; then 8 cells run\n")
    assert ": no memory\n" in done.err


def test_the_folders_warnings_are_printed_once(finish, tmp_path, capsys):
    values = flags.FlagValues()
    given = ablation_command.Flags(values)
    folder = f"--results_dir={tmp_path}"
    reading = "--readings=unit-he-sum-decay"
    values(["", "--preset=smoke", "--notrain", reading, folder])
    store = Store(tmp_path)
    _, (plan,) = ablation_command.plans(given)
    for cell in plan.cells():
        for trial in cell.trials():
            finish(store, cell, trial, 0.25)
    (tmp_path / "trials" / "broken.json").touch()
    assert ablation_command._run(given) == 0
    done = capsys.readouterr()
    assert "; then " in done.out  # the rates beyond
    assert done.err.count("broken.json") == 1


@pytest.mark.slow
def test_a_run_and_its_rates_beyond(ablation, tmp_path):
    given = ["--preset=smoke", "--readings=unit-he-sum-decay"]
    done = ablation(*given)
    assert done.returncode == 0, done.stderr
    table = (tmp_path / "results" / "ablation.md").read_text()
    assert table in done.stdout
    # Titles, marks, one reading and the paper: one reading shows no choice's effect.
    assert table.count("\n") == 4
    assert "| unit-he-sum-decay |" in table
    trials = list(Store(tmp_path / "results").trials())
    # Of two rates one is always at an edge.
    assert len(trials) == 9 * 3
    done = ablation(*given)
    assert (tmp_path / "results" / "ablation.md").read_text() == table
    assert len(list(Store(tmp_path / "results").trials())) == len(trials)
