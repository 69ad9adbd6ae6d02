import json
import sys
import types

import pytest

from keras_asymbp.benchmarks.errors import StoreError, UsageError
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables.cells import Task
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.training import device
from keras_asymbp.benchmarks.training import workbench as workbenches
from keras_asymbp.benchmarks.training.observers import Observers
from keras_asymbp.benchmarks.training.workbench import Workbench, require


class Trainer:
    """Trains nothing."""

    has_lanes = True

    def __init__(self, cell):
        self._cell = cell

    def train_together(self, trials, observers):
        observers = list(map(Observers, observers))
        for trial, observer in zip(trials, observers, strict=True):
            observer.begin(self._cell, trial, model=None)
        for observer in observers:
            observer.epoch({"epoch": 1})
        return [{"best_error": trial.learning_rate} for trial in trials]


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(Workbench, "trainer", lambda self, cell: Trainer(cell))
    return Workbench


def test_the_events_of_a_task(bench, make_cell):
    cell = make_cell(learning_rates=(0.5, 0.25, 0.125), seed=3)
    _, *trials = cell.trials()
    events = []
    bench(None, "the command").run(
        Task(cell, tuple(trials)), lambda *event: events.append(event)
    )
    assert [event[:2] for event in events] == [
        (event, trial) for trial in trials for event in ("begin", "epoch", "finished")
    ]
    assert events[1][2] == {"epoch": 1}
    record = events[2][2]
    assert record["settings"] == cell.settings(trials[0])
    assert record["result"] == {"best_error": 0.25}
    assert (record["model"], record["command"]) == ("SGD", "the command")
    assert record["machine"]["deterministic"] is False
    json.dumps(record)  # plain data


def test_lanes_are_trials_of_one_batch_schedule(bench, make_cell, monkeypatch):
    monkeypatch.setattr(device, "whole_epochs", lambda requested: True)
    column = Column("X", batch_schedules=(((0, 100),), ((0, 50),)))
    cell = make_cell(column, learning_rates=(0.5, 0.25, 0.125))
    trials = cell.trials()[1:]  # two of the first schedule, three of the second
    task, events = Task(cell, tuple(trials)), []

    def lanes(limit):
        events.clear()
        bench(None, "the command", lanes=limit).run(
            task, lambda *event: events.append(event)
        )
        records = [event[2] for event in events if event[0] == "finished"]
        assert [event[1] for event in events if event[0] == "finished"] == trials
        assert [r["result"]["best_error"] for r in records] == [
            trial.learning_rate for trial in trials
        ]
        return [record["machine"]["lanes"] for record in records]

    assert lanes(2) == [2, 2, 2, 2, 1]
    assert lanes(5) == [2, 2, 3, 3, 3]
    # Each trial has observers of its own.
    assert [event[:2] for event in events[:6]] == [
        (event, trial)
        for event in ("begin", "epoch", "finished")
        for trial in trials[:2]
    ]
    assert lanes(1) == lanes(None) == [1] * 5
    monkeypatch.setattr(device, "accelerator", lambda: "Model X")
    assert lanes(None) == [2, 2, 3, 3, 3]
    monkeypatch.setattr(Trainer, "has_lanes", False)
    assert lanes(None) == [1] * 5


def test_lanes_share_the_time_of_their_program(bench, make_cell, monkeypatch):
    monkeypatch.setattr(device, "whole_epochs", lambda requested: True)
    ticks = iter([10.0, 16.0])
    clock = types.SimpleNamespace(monotonic=lambda: next(ticks))
    monkeypatch.setattr(workbenches, "time", clock)
    cell, events = make_cell(learning_rates=(0.5, 0.25, 0.125)), []
    bench(None, "the command", lanes=3).run(
        Task(cell, tuple(cell.trials())), lambda *event: events.append(event)
    )
    seconds = [event[2]["seconds"] for event in events if event[0] == "finished"]
    assert seconds == [2.0] * 3


def test_a_worker_can_store_trials_itself(bench, make_cell, tmp_path, monkeypatch):
    cell = make_cell(learning_rates=(0.5,))
    task = Task(cell, tuple(cell.trials()))
    events = []
    workbench = bench(None, "the command", results_dir=tmp_path)
    workbench.run(task, lambda *event: events.append(event))
    (path,) = (tmp_path / "trials").iterdir()
    assert path.name.startswith("mnist_5k-SGD-seed0-lr0.5-")
    record = events[-1][2]
    assert json.loads(path.read_text()).items() >= record.items()

    # Its own failure is ignored: the driver also stores the trial.
    def refuse(*args):
        raise StoreError("full")

    monkeypatch.setattr(Store, "put", refuse)
    events.clear()
    workbench.run(task, lambda *event: events.append(event))
    assert events[-1][0] == "finished"


def test_data_are_fitted_to_each_network(make_cell):
    workbench = Workbench(None, "the command")
    for architecture, shape in (
        ("mnist", (28, 28, 1)),
        ("cifar", (32, 32, 3)),
        ("mnist", (28, 28, 1)),
    ):
        cell = make_cell(architecture=architecture, train_examples=10, test_examples=10)
        assert workbench.examples(cell).train.rows([0]).shape == (1, *shape)


def test_data_that_changed_since_the_run_began(make_cell):
    """Its results would be stored as those of the data that the run found."""
    cell = make_cell(version="of other content")
    with pytest.raises(UsageError, match="mnist_5k has changed since the run began"):
        Workbench(None, "").examples(cell)


@pytest.mark.parametrize("name", ["keras_tuner", "scipy", "tensorflow"])
def test_the_packages_for_training_must_be_installed(name, monkeypatch):
    require()
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match=name) as refused:
        require()
    assert refused.value.name == name
