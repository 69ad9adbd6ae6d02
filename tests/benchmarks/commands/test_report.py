import csv
import os
import re

import pytest

from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables import experiments

MODULE = "keras_asymbp.benchmarks.commands.report"
FILES = {"report.md", "report.html", "report.tex", "results.csv"}
COLUMNS = {c.name: c for c in experiments.get("C2").columns}


@pytest.fixture
def report(benchmarks, tmp_path):
    def run(*flags, **environment):
        folder = f"--results_dir={tmp_path / 'results'}"
        return benchmarks(folder, *flags, module=MODULE, timeout=120, **environment)

    return run


@pytest.fixture
def put(tmp_path, finish):
    store = Store(tmp_path / "results")

    def put(cell, *errors):
        for trial, error in zip(cell.trials(), errors, strict=False):
            finish(store, cell, trial, error)

    return put


def test_all_files_are_written_from_all_trials(report, put, make_cell, tmp_path):
    put(make_cell(COLUMNS["SGD"]), *[0.125] * 5)
    put(make_cell(COLUMNS["SGD Bottom"]), *[0.25] * 3)
    put(make_cell(COLUMNS["SGD"], epochs=7, learning_rates=(5e-4,)), 0.375)
    done = report(PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    folder = tmp_path / "results"
    assert {path.name for path in folder.iterdir()} == FILES | {"trials"}
    last = done.stdout.splitlines()[-1]
    assert re.fullmatch(
        rf"9 of \d+ trials finished; report: {folder}/report.html", last
    )
    names = re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE)
    assert "jinja2" in names
    assert not {"tensorflow", "keras", "ray"} & {n.partition(".")[0] for n in names}
    for name in ("report.md", "report.tex"):
        text = (folder / name).read_text()
        for figure in ("12.50", "37.50", "(3 of 5 trials)", "not run"):
            assert figure in text, (name, figure)
    page = re.sub("</?span>", "", (folder / "report.html").read_text())
    for words in ("12.50", "37.50", "(3 of 5 trials)", "--epochs 7", "on this page"):
        assert words in page
    with (folder / "results.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 9


def test_nothing_to_show_is_one_line(report, tmp_path, contents):
    done = report()
    assert done.returncode == 2
    assert "no results in" in done.stderr
    assert not (tmp_path / "results").exists()
    (tmp_path / "results" / "trials").mkdir(parents=True)
    done = report()
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: no finished trial in")
    assert contents(tmp_path) == {}


def test_other_learning_rates_are_asked_for(report, put, make_cell):
    put(make_cell(learning_rates=(0.3, 0.02)), 0.5, 0.25)
    for flags in ([], ["--learning_rates=1"]):
        done = report(*flags)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith("error: no finished trial in ")
        assert line.endswith(" learning rates of the run, --learning_rates=0.3,0.02")
    assert report("--learning_rates=0.3,0.02").returncode == 0


def test_unused_files_are_named(report, put, make_cell, tmp_path):
    put(make_cell(), 0.5)
    (tmp_path / "results" / "trials" / "notes.txt").write_text("mine")
    done = report()
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("warning: ")
    assert "notes.txt" in line
    for name in ("report.md", "report.html"):
        assert "notes.txt" in (tmp_path / "results" / name).read_text()


def test_where_all_files_are_unused_the_reasons_are_named(report, tmp_path):
    trials = tmp_path / "results" / "trials"
    trials.mkdir(parents=True)
    (trials / "notes.txt").write_text("mine")
    done = report()
    assert done.returncode == 2
    warning, error = done.stderr.splitlines()
    assert "notes.txt is no JSON" in warning
    assert error.startswith("error: no finished trial in")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only(report, put, make_cell, tmp_path):
    put(make_cell(), 0.5)
    (tmp_path / "results").chmod(0o555)
    done = report()
    assert done.returncode == 2
    assert "can't write the report" in done.stderr


@pytest.mark.slow
def test_while_a_run_fills_the_folder(
    report, start_stand_in, tmp_path, wait_for, contents
):
    """The report shows the finished trials, and does not disturb the run."""
    run = start_stand_in("--seeds=0,1", seconds=0.3)
    try:
        trials = tmp_path / "results" / "trials"
        wait_for(lambda: trials.is_dir() and len(list(trials.glob("*.json"))) >= 2)
        done = report()
        assert run.poll() is None  # it is still at work
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        found, expected = map(int, re.findall(r"\d+", done.stdout)[:2])
        assert 2 <= found < expected
        text = (tmp_path / "results" / "report.md").read_text()
        assert "not run" in text
        _, stderr = run.communicate(timeout=120)
        assert run.returncode == 0, stderr
    finally:
        run.kill()
    # Afterwards it is complete.
    before = contents(trials)
    done = report()
    found, expected = map(int, re.findall(r"\d+", done.stdout)[:2])
    assert found == expected == len(before)
    assert contents(trials) == before
