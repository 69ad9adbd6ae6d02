from keras_asymbp.benchmarks.commands import execute
from keras_asymbp.benchmarks.commands.execute import Outcome
from keras_asymbp.benchmarks.results.store import Store


def test_failures_are_printed(make_cell, tmp_path, capsys):
    outcome = Outcome(Store(tmp_path), {}, "")
    outcome.print_failures()
    assert outcome.exit_code == 0
    assert capsys.readouterr() == ("", "")
    cell = make_cell(seed=3, architecture="cifar")
    outcome = Outcome(Store(tmp_path), {cell: "no memory"}, "")
    outcome.print_failures()
    assert outcome.exit_code == 1
    assert capsys.readouterr() == (
        "",
        "failed: mnist_5k cifar, SGD, seed 3: no memory\n"
        "run the same command again to retry\n",
    )


def test_the_outcome_of_two_runs(make_cell, tmp_path):
    store = Store(tmp_path)
    first, second = make_cell(seed=1), make_cell(seed=2)
    outcome = Outcome(store, {first: "no memory"}, "1 trial run, 0 found stored")
    later = Outcome(store, {second: "no disk"}, "2 trials run, 0 found stored")
    both = outcome.before(later)
    assert both.failures == {first: "no memory", second: "no disk"}
    assert (
        both.summary == "1 trial run, 0 found stored; then 2 trials run, 0 found stored"
    )
    assert outcome.before(Outcome(store, {}, "")).exit_code == 1


def test_trials_of_other_content(make_cell, make_plan, finish, tmp_path, capsys):
    store = Store(tmp_path)
    for version in ("1", "3.0.1"):
        cell = make_cell(version=version)
        for trial in cell.trials()[:2]:
            finish(store, cell, trial, 0.5)
    execute._warn_of_other_content([make_plan()], store)
    assert capsys.readouterr().err == (
        "warning: 2 stored trials on other content of mnist_5k (3.0.1) than it has "
        "now: kept, and reported under that version\n"
    )


def test_no_more_processes_are_estimated_than_cells(stand_in):
    done = stand_in("--models=SGD", "--jobs=8", "--dry_run")
    assert "with 1 process," in done.stdout


def test_notrain_writes_the_reports_of_what_is_stored(stand_in, notes, tmp_path):
    done = stand_in("--models=SGD", "--notrain")
    assert done.returncode == 2
    assert done.stderr.startswith("error: no results in ")
    assert stand_in("--models=SGD").returncode == 0
    trained = notes()
    assert len(trained) == 2
    report = tmp_path / "results" / "report.md"
    report.unlink()
    (tmp_path / "results" / "trials" / "half.json").write_text('{"half')
    done = stand_in("--models=SGD,RndF", "--notrain")
    assert done.returncode == 0, done.stderr
    (warning,) = done.stderr.splitlines()
    assert "half.json is no JSON" in warning
    assert "2 of 4 trials found stored; report: " in done.stdout
    assert notes() == trained
    assert "| not run |" in report.read_text()
