import json
import sys

import pytest

from keras_asymbp.benchmarks.errors import StoreError
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables.cells import Task
from keras_asymbp.benchmarks.training.observers import Observers
from keras_asymbp.benchmarks.training.workbench import Workbench, require


class Trainer:
    """Trains nothing."""

    def __init__(self, cell):
        self._cell = cell

    def train(self, trial, observers):
        observer = Observers(observers)
        observer.begin(self._cell, trial, model=None)
        observer.epoch({"epoch": 1})
        return {"best_error": trial.learning_rate}


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


def test_a_worker_can_store_trials_itself(bench, make_cell, tmp_path, monkeypatch):
    cell = make_cell(learning_rates=(0.5,))
    task = Task(cell, tuple(cell.trials()))
    events = []
    workbench = bench(None, "the command", results_dir=tmp_path)
    workbench.run(task, lambda *event: events.append(event))
    (path,) = (tmp_path / "trials").iterdir()
    assert path.name.startswith("mnist_5k-SGD-seed0-lr0.5-")
    record = events[-1][2]
    assert Store(tmp_path).get(record["settings"]).items() >= record.items()

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


@pytest.mark.parametrize("name", ["keras_tuner", "scipy", "tensorflow"])
def test_the_packages_for_training_must_be_installed(name, monkeypatch):
    require()
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match=name) as refused:
        require()
    assert refused.value.name == name
