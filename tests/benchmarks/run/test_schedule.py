import io

import pytest
import rich.console

from keras_asymbp.benchmarks.errors import StoreError
from keras_asymbp.benchmarks.results.leases import Leases
from keras_asymbp.benchmarks.results.store import Store, trial_id
from keras_asymbp.benchmarks.run.progress import Display
from keras_asymbp.benchmarks.run.schedule import Schedule
from keras_asymbp.benchmarks.tables.cells import Task
from keras_asymbp.benchmarks.tables.experiments import Column

SGD, USF = Column("SGD"), Column("uSF", rule="uSF")


@pytest.fixture
def cells(make_cell):
    """Two models with two seeds each, of two trials."""
    return [
        make_cell(column, seed=seed, learning_rates=(5e-3, 5e-4), epochs=1)
        for column in (SGD, USF)
        for seed in (0, 1)
    ]


@pytest.fixture
def make(tmp_path):
    """Makes the schedule of a run."""

    def make(cells, retries=1, lease_poll=0.0):
        console = rich.console.Console(file=io.StringIO(), width=200)
        display = Display(console)
        display.start(total=sum(len(cell.trials()) for cell in cells), epochs=1)
        leases = Leases(tmp_path / "leases")
        made = Schedule(*(cells, Store(tmp_path), leases, display, retries, lease_poll))
        made.lines = lambda: console.file.getvalue().splitlines()
        made.summary, made.leases = display.summary, leases
        return made

    return make


@pytest.fixture
def do(make_record):
    """Does the work of a worker, or the first trials of it."""

    def do(schedule, task, trials=None, error=0.25):
        for trial in task.trials[:trials]:
            schedule.report(task, "begin", trial)
            row = {"epoch": 1, "test_error": error}
            schedule.report(task, "epoch", trial, row)
            record = make_record(task.cell, trial, error)
            schedule.report(task, "finished", trial, record)

    return do


def test_a_run(make, cells, do):
    schedule = make(cells)
    last = None
    for cell in cells:
        task = schedule.next(last)
        assert task == Task(cell, tuple(cell.trials()))
        do(schedule, task)
        schedule.ended(task)
        last = cell
    assert schedule.over
    assert schedule.failures == {}
    assert schedule.summary() == "8 trials run, 0 found stored"
    again = make(cells)
    assert again.over
    assert again.summary() == "0 trials run, 8 found stored"


def test_processes_keep_their_models(make, cells):
    schedule = make(cells)
    first, second = schedule.next(None), schedule.next(None)
    # The second process compiles another model than the first.
    assert (first.cell, second.cell) == (cells[0], cells[2])
    assert schedule.next(second.cell).cell == cells[3]
    assert schedule.next(first.cell).cell == cells[1]
    assert schedule.next(None) is None
    assert not schedule.over


def test_a_retry_skips_finished_trials(make, cells, do):
    schedule = make(cells[:1], retries=2)
    task = schedule.next(None)
    do(schedule, task, trials=1)
    schedule.ended(task, "bad")
    for reason in ("worse", "worst"):
        task = schedule.next(None)
        assert task.trials == tuple(cells[0].trials()[1:])
        schedule.ended(task, reason)
    assert schedule.over
    assert schedule.failures == {cells[0]: "worst"}
    assert [line.partition(":")[0] for line in schedule.lines()[1:]] == [
        "failed, trying again",
        "failed, trying again",
        "failed",
    ]


def test_a_failure_after_the_last_trial_is_ignored(make, cells, do):
    schedule = make(cells[:1], retries=0)
    task = schedule.next(None)
    do(schedule, task)
    schedule.ended(task, "killed")
    assert schedule.over
    assert schedule.failures == {}


def test_late_results_are_stored_once(make, cells, do):
    schedule = make(cells[:1])
    dead = schedule.next(None)
    schedule.ended(dead, "killed")
    task = schedule.next(None)
    do(schedule, dead)
    do(schedule, task, error=0.5)
    schedule.ended(task)
    assert schedule.over
    assert schedule.summary() == "2 trials run, 0 found stored"


def test_two_runs(make, cells, do):
    one, other = make(cells[:2]), make(cells[:2])
    mine, others = one.next(None), other.next(None)
    assert (mine.cell, others.cell) == (cells[0], cells[1])
    do(one, mine)
    one.ended(mine)
    # Only trials of the other run are left.
    assert one.next(None) is None
    assert not one.over
    assert one.lines()[-1] == "waiting for 1 cell of another run"
    # The other run fails, and this one takes over its unfinished trials.
    do(other, others, trials=1)
    other.ended(others, "bad")
    rest = one.next(None)
    assert rest.trials == tuple(cells[1].trials()[1:])
    assert other.next(None) is None
    do(one, rest)
    one.ended(rest)
    assert one.over
    assert other.next(None) is None
    assert other.over
    assert one.summary() == "3 trials run, 1 found stored"
    assert other.summary() == "1 trial run, 3 found stored"


def test_trials_finished_before_they_are_leased(make, cells, do):
    one, other = make(cells[:1]), make(cells[:1])
    task = one.next(None)
    do(one, task)
    one.ended(task)
    assert other.next(None) is None
    assert other.over
    assert other.summary() == "0 trials run, 2 found stored"


def test_models_of_the_same_settings_are_run_once(make, make_cell, do):
    named = [make_cell(Column(name), learning_rates=(5e-4,)) for name in ("a", "b")]
    schedule = make(named, lease_poll=60.0)
    task = schedule.next(None)
    assert schedule.next(None) is None
    do(schedule, task)
    schedule.ended(task)
    assert schedule.next(None) is None
    assert schedule.over
    assert not any("another run" in line for line in schedule.lines())
    assert schedule.summary() == "1 trial run, 0 found stored"


def test_giving_up(make, cells):
    schedule = make(cells)
    schedule.next(None)
    schedule.give_up("the disk is full")
    assert schedule.over
    assert schedule.failures == dict.fromkeys(cells, "the disk is full")


def test_a_folder_without_leases_is_an_error(make, cells, tmp_path):
    schedule = make(cells)
    (tmp_path / "leases").touch()
    with pytest.raises(StoreError, match=r"can't write .*File exists.*same command"):
        schedule.next(None)


def test_leases_last_until_the_task_ends(make, cells, tmp_path):
    schedule, other = make(cells[:1]), Leases(tmp_path / "leases")
    task = schedule.next(None)
    names = [trial_id(task.cell.settings(trial)) for trial in task.trials]
    assert not any(map(other.take, names))
    schedule.ended(task, "bad")
    assert all(map(other.take, names))
