import pytest

from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.run import costs, planning
from keras_asymbp.benchmarks.run.costs import START, Cost
from keras_asymbp.benchmarks.run.planning import Workload
from keras_asymbp.benchmarks.tables.experiments import Column

BM = Column("BM", setting=1)


@pytest.fixture(autouse=True)
def _costs(monkeypatch):
    monkeypatch.setattr(costs, "COSTS", {("mnist", False): Cost(1.0, 0.1)})


def test_duplicate_cells_and_stored_trials_are_not_work(make_plan, finish, tmp_path):
    plans = [make_plan((Column("SGD"), BM), seeds=(0, 1)), make_plan((BM,))]
    store = Store(tmp_path)
    cell = plans[1].cells()[0]
    for trial in cell.trials()[:3]:
        finish(store, cell, trial, 0.1)
    (work,) = planning.workloads(plans, store)
    assert (work.dataset, work.cells) == ("mnist_5k", 4)
    assert (work.trials, work.stored) == (20, 3)
    # Six epochs of 40 updates and 10 forward passes.
    assert work.seconds == pytest.approx(17 * 6 * (40 * 1.0 + 10 * 0.1) + 2 * START)
    assert planning.workloads(plans, None)[0].stored == 0


def test_a_cell_is_unfinished_while_a_trial_is_missing(make_plan, finish, tmp_path):
    plans = [make_plan((Column("SGD"), BM), seeds=(0, 1)), make_plan((BM,))]
    store = Store(tmp_path)
    assert planning.unfinished(plans, store) == planning.unfinished(plans, None) == 4
    cell = plans[1].cells()[0]
    *most, last = cell.trials()
    for trial in most:
        finish(store, cell, trial, 0.1)
    assert planning.unfinished(plans, store) == 4
    finish(store, cell, last, 0.1)
    assert planning.unfinished(plans, store) == 3


def test_models_that_are_the_same_runs_are_one_unfinished_cell(make_plan):
    plans = [make_plan((BM,)), make_plan((Column("BM1", setting=1),))]
    (work,) = planning.workloads(plans, None)
    assert planning.unfinished(plans, None) == work.cells == 1


def test_the_total_time_leaves_out_unknown_times():
    text = planning.describe(
        [Workload("a", 2, 10, 4, 7200.0), Workload("b", 1, 5, 5, None)], processes=2
    )
    first, second, last = text.splitlines()
    assert first == "a: 2 cells, 10 trials, 4 stored, 6 to run: 2.0 h"
    assert second.endswith("0 to run: time unknown")
    assert last.startswith(
        "total: 3 cells, 15 trials, 6 to run: 60 min with 2 processes"
    )
    assert last.endswith(", without b")


def test_a_dry_run_starts_nothing(benchmarks, tmp_path):
    folder = tmp_path / "results"
    done = benchmarks(
        *("--exp=all", "--datasets=mnist_5k,stl10,svhn", "--seeds=0,1"),
        *("--preset=paper", "--dry_run", f"--results_dir={folder}"),
        f"--data_dir={tmp_path}",
        PYTHONPROFILEIMPORTTIME="1",
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    # 33 models, one of them with two schedules, at five rates each.
    assert lines[0].startswith("mnist_5k: 66 cells, 340 trials, 0 stored, 340 to run")
    assert [line.split(":")[0] for line in lines[1:3]] == ["stl10", "svhn"]
    assert "unknown" not in lines[0] + lines[1]
    assert not folder.exists()
    assert not {"tensorflow", "keras"} & {
        line.rpartition("|")[2].strip() for line in done.stderr.splitlines()
    }


def test_a_dry_run_refuses_an_unknown_data_set(benchmarks):
    done = benchmarks("--exp=A", "--datasets=nope", "--dry_run")
    assert done.returncode == 2
    assert "unknown data set 'nope'" in done.stderr


def test_an_unknown_time_is_not_zero_seconds():
    lines = planning.describe([planning.Workload("mine", 2, 10, 3, None)], 2)
    assert lines.splitlines()[-1] == (
        "total: 2 cells, 10 trials, 7 to run: time unknown"
    )
