import contextlib
import sys

import pytest

from keras_asymbp.benchmarks.errors import StoreError, UsageError
from keras_asymbp.benchmarks.run.executors.serial import Serial
from keras_asymbp.benchmarks.tables.cells import Task


class TaskObserver:
    def __init__(self, error=None):
        self.events, self.ends, self.error = [], [], error

    def report(self, task, *event):
        self.events.append(event)
        if self.error:
            raise self.error

    def ended(self, task, reason=None):
        self.ends.append(reason)


class Bench:
    made = 0

    def __init__(self):
        type(self).made += 1

    def run(self, task, report):
        report("event", self.made)
        if task.cell.seed:
            raise MemoryError


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(Bench, "made", 0)
    return Bench


def test_tasks_share_a_bench_until_one_fails(bench, make_cell):
    observer = TaskObserver()
    with Serial(bench) as serial:
        for seed in (0, 0, 1, 0):
            (slot,) = serial.free()
            serial.submit(slot, Task(make_cell(seed=seed), ()))
            assert serial.free() == []
            serial.poll(observer, 1)
    assert observer.events == [("event", number) for number in (1, 1, 1, 2)]
    assert observer.ends == [None, None, "out of memory: MemoryError", None]


def test_a_storage_error_is_not_a_failure_of_the_task(bench, make_cell):
    observer = TaskObserver(StoreError("full"))
    with Serial(bench) as serial:
        serial.submit(serial.free()[0], Task(make_cell(), ()))
        with pytest.raises(StoreError, match="full"):
            serial.poll(observer, 1)
    assert observer.ends == []


@pytest.mark.parametrize(
    ("error", "notes"), [(UsageError("no such flag"), 0), (ValueError("bad"), 1)]
)
def test_a_request_at_fault_has_no_traceback(error, notes, make_cell, tmp_path):
    class Failing:
        def run(self, task, report):
            print("a warning of a library", file=sys.stderr)
            raise error

    observer = TaskObserver()
    with Serial(Failing, tmp_path) as serial:
        serial.submit(serial.free()[0], Task(make_cell(), ()))
        with contextlib.suppress(UsageError):
            serial.poll(observer, 1)
    assert len(observer.events) == notes
    (log,) = tmp_path.rglob("*.log")
    assert log.read_text().count("Traceback") == notes


def test_without_a_task_it_waits(bench):
    Serial(bench).poll(TaskObserver(), 0.01)
    assert bench.made == 0
