import pytest

from keras_asymbp.benchmarks.errors import StoreError
from keras_asymbp.benchmarks.run.executors.serial import Serial
from keras_asymbp.benchmarks.tables.cells import Task


class Told:
    def __init__(self, error=None):
        self.told, self.ends, self._error = [], [], error

    def tell(self, task, *event):
        self.told.append(event)
        if self._error:
            raise self._error

    def ended(self, task, reason=None):
        self.ends.append(reason)


class Bench:
    made = 0

    def __init__(self):
        type(self).made += 1

    def run(self, task, tell):
        tell("event", self.made)
        if task.cell.seed:
            raise MemoryError


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(Bench, "made", 0)
    return Bench


def test_tasks_share_a_bench_until_one_fails(bench, make_cell):
    told = Told()
    with Serial(bench) as serial:
        for seed in (0, 0, 1, 0):
            (slot,) = serial.free()
            serial.submit(slot, Task(make_cell(seed=seed), ()))
            assert serial.free() == []
            serial.poll(told, 1)
    assert told.told == [("event", number) for number in (1, 1, 1, 2)]
    assert told.ends == [None, None, "out of memory: MemoryError", None]


def test_what_cannot_be_stored_is_no_failure_of_the_task(bench, make_cell):
    told = Told(StoreError("full"))
    with Serial(bench) as serial:
        serial.submit(serial.free()[0], Task(make_cell(), ()))
        with pytest.raises(StoreError, match="full"):
            serial.poll(told, 1)
    assert told.ends == []


def test_without_a_task_it_waits(bench):
    Serial(bench).poll(Told(), 0.01)
    assert bench.made == 0
