import dataclasses
import datetime
import io
import json
import os
import pathlib
import signal
import time

import pytest
import rich.console

import keras_asymbp
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.networks import (
    FC,
    NETWORKS,
    Network,
)
from keras_asymbp.benchmarks.results import table
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.run import runner
from keras_asymbp.benchmarks.run.executors import Execution
from keras_asymbp.benchmarks.run.progress import Display
from keras_asymbp.benchmarks.tables.experiments import Column

SGD = Column("SGD")
# Like a column of a later table: one of its two schedules increases the batch size.
GROWING = Column(
    "uSF+BM",
    rule="uSF",
    setting=1,
    batch_schedules=(((0, None),), ((0, 20), (1, 50))),
)


@pytest.fixture
def tiny_plan(make_plan, tiny):
    def tiny_plan(columns=(SGD,), **settings):
        settings = {"epochs": 1, "learning_rates": (5e-3, 5e-4)} | settings
        return make_plan(columns, tiny, **settings)

    return tiny_plan


@pytest.fixture
def run(tmp_path):
    """Runs a plan; returns the lines shown, after the first, and the summary."""

    def run(plan, data_dir=None):
        console = rich.console.Console(file=io.StringIO(), width=200)
        with Display(console) as display:
            plans = plan if isinstance(plan, list) else [plan]
            runner.run(plans, Store(tmp_path), display, data_dir, "the command")
        first, *lines = console.file.getvalue().splitlines() or ["running"]
        assert first.startswith("running")
        return lines, display.summary()

    return run


def by_name(folder):
    trials = (json.loads(p.read_text()) for p in (folder / "trials").iterdir())
    return {(t["model"], t["settings"]["learning_rate"]): t for t in trials}


def test_a_trial_is_stored_with_its_origin(tiny_plan, run, tmp_path):
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    lines, summary = run(tiny_plan(seeds=(3,)))
    assert summary == "2 trials run, 0 found stored"
    assert [line.partition(":")[0] for line in lines] == [
        "1/2 tiny | SGD | rate 0.005 | seed 3",
        "2/2 tiny | SGD | rate 0.0005 | seed 3",
    ]
    trials = by_name(tmp_path)
    assert trials.keys() == {("SGD", 5e-3), ("SGD", 5e-4)}
    (path,) = (tmp_path / "trials").glob("tiny-SGD-seed3-lr0.005-*.json")
    trial = json.loads(path.read_text())
    assert trial["command"] == "the command"
    assert trial["settings"]["seed"] == 3
    assert trial["settings"]["feedback"] == "BP"
    assert len(trial["result"]["curves"]) == 1
    assert trial["seconds"] > 0
    started = datetime.datetime.fromisoformat(trial["started"])
    assert before <= started <= datetime.datetime.now(datetime.UTC)
    assert trial["versions"]["keras-asymbp"] == keras_asymbp.__version__
    assert trial["versions"].keys() >= {"python", "tensorflow", "keras", "numpy"}
    assert trial["machine"]["cores"] == os.cpu_count()
    assert trial["machine"]["onednn"] == os.environ["TF_ENABLE_ONEDNN_OPTS"]
    assert trial["machine"]["deterministic"] is False
    assert trial["machine"]["threads"] >= 1
    assert not list((tmp_path / "leases").iterdir())


def test_a_column_is_one_row_of_data(tiny_plan, run, tmp_path):
    plan = tiny_plan([SGD, GROWING], epochs=2)
    lines, _ = run(plan)
    assert len(lines) == 2 + 4
    assert "4/6 tiny | uSF+BM | rate 0.0005 | seed 0: " in lines[3]
    assert "5/6 tiny | uSF+BM | rate 0.005 | batch 20-50 | seed 0: " in lines[4]
    sgd, growing = table.fill(plan, Store(tmp_path)).entries
    assert (len(sgd.trials), len(growing.trials), growing.expected) == (2, 4, 4)
    errors = [trial["result"]["best_error"] for trial in growing.trials]
    assert growing.error == 100 * min(errors)
    curves = [str(trial["result"]["curves"]) for trial in growing.trials]
    assert len(set(curves)) == 4


def test_nothing_is_run_twice(tiny_plan, run, tmp_path, contents, tiny, monkeypatch):
    plan = tiny_plan()
    run(plan)
    before = contents(tmp_path)

    # Neither TensorFlow nor the data are touched.
    monkeypatch.setattr(runner.executors, "make", None)
    tiny.source.loads.clear()
    assert run(plan) == ([], "0 trials run, 2 found stored")
    assert tiny.source.loads == []
    assert contents(tmp_path) == before


def test_only_missing_trials_are_run(tiny_plan, run, tmp_path, contents):
    plan = tiny_plan(learning_rates=(5e-2, 5e-3, 5e-4))
    run(plan)
    first = by_name(tmp_path)
    (missing,) = (tmp_path / "trials").glob("*-lr0.005-*")
    missing.unlink()
    before = contents(tmp_path)
    lines, summary = run(plan)
    assert summary == "1 trial run, 2 found stored"
    assert len(lines) == 1
    assert "rate 0.005 " in lines[0]
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    # The results are those of an uninterrupted run.
    again = by_name(tmp_path)
    assert again.keys() == first.keys()
    for key, trial in first.items():
        result, expected = again[key]["result"], trial["result"]
        assert result["best_error"] == expected["best_error"]
        assert result["curves"] == [
            pytest.approx(row, rel=1e-4) for row in expected["curves"]
        ]


def test_other_settings_are_other_trials(tiny_plan, run, tmp_path, contents):
    run(tiny_plan(learning_rates=(5e-3,)))
    before = contents(tmp_path)
    for change in ({"epochs": 2}, {"seeds": (1,)}, {"momentum": 0.5}):
        _, summary = run(tiny_plan(learning_rates=(5e-3,), **change))
        assert summary == "1 trial run, 0 found stored"
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    assert len(after) == 4


def test_experiments_share_trials_of_the_same_settings(tiny_plan, run):
    run(tiny_plan())
    _, summary = run(tiny_plan([Column("another name")]))
    assert summary == "0 trials run, 2 found stored"


def test_tables_share_cells(tiny_plan, run, tmp_path, tiny):
    usf = Column("uSF", rule="uSF")
    plans = [tiny_plan([SGD, usf]), tiny_plan([SGD, Column("SGD again")])]
    lines, summary = run(plans)
    assert len(lines) == 4
    # Cells with the same name are one; with another name, their trials count once.
    assert summary == "4 trials run, 0 found stored"
    assert [line.split(" ")[0] for line in lines] == ["1/4", "2/4", "3/4", "4/4"]
    assert run(plans)[1] == "0 trials run, 4 found stored"
    assert len(tiny.source.loads) == 1
    for plan in plans:
        entries = table.fill(plan, Store(tmp_path)).entries
        assert [len(entry.trials) for entry in entries] == [2, 2]


def test_seeds_share_a_compiled_model(tiny_plan, run, tmp_path, monkeypatch):
    from keras_asymbp.benchmarks.training.trainer import Trainer

    made = []
    init = Trainer.__init__

    def counted(self, cell, *others):
        made.append((cell.column.name, cell.seed))
        init(self, cell, *others)

    monkeypatch.setattr(Trainer, "__init__", counted)
    columns = [SGD, Column("uSF", rule="uSF")]
    lines, _ = run(tiny_plan(columns, seeds=(0, 1), learning_rates=(5e-4,)))
    assert made == [("SGD", 0), ("uSF", 0)]
    assert [line.split(" | ")[1] for line in lines] == ["SGD"] * 2 + ["uSF"] * 2


def test_cells_are_ordered_by_data_set_and_model(make_plan, tiny):
    other = dataclasses.replace(tiny, name="other")
    usf, rndf = Column("uSF", rule="uSF"), Column("RndF", rule="RndF")
    plans = [
        make_plan(columns, dataset, (0, 1))
        for columns in ([SGD, usf], [SGD, rndf])
        for dataset in (tiny, other)
    ]
    cells = runner.in_order(cell for plan in plans for cell in plan.cells())
    assert [(c.dataset.name, c.column.name, c.seed) for c in cells] == [
        (dataset, column, seed)
        for dataset in ("tiny", "other")
        for column in ("SGD", "uSF", "RndF")
        for seed in (0, 1)
    ]


def test_data_are_truncated_and_fitted_to_the_network(
    tiny_plan, run, tmp_path, monkeypatch
):
    small = Network((14, 14, 3), (FC(4),))
    monkeypatch.setitem(NETWORKS, "small", small)
    plan = tiny_plan(
        architecture="small", train_examples=100, test_examples=30, learning_rates=(1,)
    )
    _, summary = run(plan)
    assert summary == "1 trial run, 0 found stored"
    (trial,) = by_name(tmp_path).values()
    settings = trial["settings"]
    assert settings["architecture"] == "small"
    assert (settings["train_examples"], settings["test_examples"]) == (100, 30)
    error = 30 * trial["result"]["best_error"]
    assert error == pytest.approx(round(error))


def test_data_are_loaded_once(tiny_plan, run, tiny):
    columns = [SGD, Column("uSF", rule="uSF")]
    run(tiny_plan(columns, learning_rates=(5e-3,)), "a folder")
    assert tiny.source.loads == ["a folder"]


def test_a_failed_cell_is_retried_and_named(tiny_plan, tmp_path, monkeypatch):
    from keras_asymbp.benchmarks.training.trainer import Trainer

    train = Trainer.train_together
    tried = []

    def fail_second(self, trials, observers):
        [trial] = trials
        tried.append(trial.learning_rate)
        if trial.learning_rate == 5e-4:
            raise RuntimeError("out of something")
        return train(self, trials, observers)

    monkeypatch.setattr(Trainer, "train_together", fail_second)
    plan = tiny_plan(learning_rates=(5e-3, 5e-4, 5e-5))
    console = rich.console.Console(file=io.StringIO(), width=200)
    with Display(console) as display:
        arguments = [plan], Store(tmp_path), display, None, "the command"
        failures = runner.run(*arguments, Execution(retries=1))
    assert failures == {plan.cells()[0]: "RuntimeError: out of something"}
    assert tried == [5e-3, 5e-4, 5e-4]
    assert by_name(tmp_path).keys() == {("SGD", 5e-3)}
    shown = console.file.getvalue().splitlines()[2:]
    traces = [line for line in shown if line.startswith("traceback in ")]
    assert "RuntimeError: out of" in pathlib.Path(traces[0].split()[-1]).read_text()
    assert [line for line in shown if line not in traces] == [
        "failed, trying again: tiny | SGD | seed 0: RuntimeError: out of something",
        "failed: tiny | SGD | seed 0: RuntimeError: out of something",
    ]


@pytest.mark.parametrize("error", [UsageError("no such data"), KeyboardInterrupt()])
def test_errors_that_retries_cannot_mend_end_the_run(
    error, tiny_plan, run, tmp_path, monkeypatch
):
    from keras_asymbp.benchmarks.training.trainer import Trainer

    def fail(self, trials, observers):
        raise error

    monkeypatch.setattr(Trainer, "train_together", fail)
    with pytest.raises(type(error)) as caught:
        run(tiny_plan())
    assert str(caught.value) == str(error)
    # Another run can take over its trials at once.
    monkeypatch.undo()
    monkeypatch.setitem(NETWORKS, "tiny", Network((28, 28, 1), (FC(16),)))
    _, summary = run(tiny_plan())
    assert summary == "2 trials run, 0 found stored"


# Real runs of the command, stopped by signals.

# Long enough for a signal in the middle of a trial.
FLAGS = [
    *("--exp=C2", "--epochs=3", "--models=SGD,RndF Bottom"),
    "--learning_rates=5e-4,5e-5",
]


@pytest.fixture
def stopped(tmp_path, start_benchmarks):
    """Stops a run by a signal in its second trial; returns output and exit code."""

    def stopped(number):
        process = start_benchmarks(*FLAGS, f"--results_dir={tmp_path}")
        try:
            deadline = time.monotonic() + 300
            while not list((tmp_path / "trials").glob("*.json")):
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            time.sleep(0.3)
            process.send_signal(number)
            return *process.communicate(timeout=120), process.returncode
        finally:
            process.kill()

    return stopped


def resume(benchmarks, folder):
    done = benchmarks(*FLAGS, f"--results_dir={folder}")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_kill_9_costs_one_trial(stopped, benchmarks, tmp_path, contents):
    _, _, code = stopped(signal.SIGKILL)
    assert code == -signal.SIGKILL
    before = contents(tmp_path / "trials")
    assert len(before) == 1

    output = resume(benchmarks, tmp_path)
    ran = [line for line in output.splitlines() if line.startswith(tuple("1234"))]
    assert [line.partition(":")[0] for line in ran[:-1]] == [
        "2/4 mnist_5k | SGD | rate 5e-05 | seed 0",
        "3/4 mnist_5k | RndF Bottom | rate 0.0005 | seed 0",
        "4/4 mnist_5k | RndF Bottom | rate 5e-05 | seed 0",
    ]
    assert ran[-1].startswith("3 trials run, 1 found stored")
    after = contents(tmp_path / "trials")
    (first,) = before
    assert after[first] == before[first]
    assert len(after) == 4
    assert {json.loads(text)["schema"] for text, _ in after.values()} == {
        "keras_asymbp.trial/1"
    }


@pytest.mark.slow
def test_ctrl_c_is_one_line(stopped, benchmarks, tmp_path, contents):
    _, stderr, code = stopped(signal.SIGINT)
    # Both are 130 in a shell; Python gives the second if it was compiling a string.
    assert code in (130, -signal.SIGINT)
    assert stderr.splitlines()[-1] == (
        "stopped; finished trials are kept, the same command continues from there"
    )
    assert "Traceback" not in stderr
    before = contents(tmp_path / "trials")
    assert len(before) == 1
    assert "3 trials run, 1 found stored" in resume(benchmarks, tmp_path)
    assert before.items() <= contents(tmp_path / "trials").items()
