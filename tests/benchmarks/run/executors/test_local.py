import functools
import multiprocessing
import os
import signal
import sys
import time

import pytest

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.run.executors.local import Local
from keras_asymbp.benchmarks.tables.cells import Task

ENVIRONMENT = {"TF_NUM_INTRAOP_THREADS": "3", "A_NEW_ONE": "new"}


class Bench:
    """Does what the seed of a cell says, and tells what it sees."""

    def __init__(self, what):
        self._ran = 0
        if what == "broken":
            raise UsageError("no bench")

    def run(self, task, tell):
        self._ran += 1
        match task.cell.seed:
            case 1:
                raise ValueError("bad")
            case 2:
                os._exit(3)
            case 3:
                os.kill(os.getpid(), signal.SIGSEGV)
            case 4:
                time.sleep(600)
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        seen = {
            "process": os.getpid(),
            "ran": self._ran,
            "environment": {name: os.environ.get(name) for name in ENVIRONMENT},
            "gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
            "interrupt": signal.SIGINT in blocked
            and signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
            "tensorflow": "tensorflow" in sys.modules,
        }
        tell("seen", seen)


class Told:
    """Keeps what it is told."""

    def __init__(self):
        self.seen, self.ends = [], []

    def tell(self, task, event, what):
        self.seen.append((task.cell.seed, what))

    def ended(self, task, reason=None):
        self.ends.append((task.cell.seed, reason))


@pytest.fixture
def make_local(monkeypatch):
    # So that workers, which are given both, import no TensorFlow.
    monkeypatch.setattr(sys, "argv", ["keras-asymbp"])
    monkeypatch.syspath_prepend(os.path.dirname(__file__))
    import test_local

    made = []

    def make(jobs, what=""):
        made.append(Local(functools.partial(test_local.Bench, what), jobs, ENVIRONMENT))
        return made[-1]

    yield make
    for local in made:
        local.close()
    assert not multiprocessing.active_children()


@pytest.fixture
def run(make_cell):
    """Runs cells of these seeds, as slots become free."""

    def run(local, seeds, told=None):
        told = told or Told()
        tasks = [Task(make_cell(seed=seed), ()) for seed in seeds]
        while len(told.ends) < len(seeds):
            for slot, task in zip(local.free(), list(tasks), strict=False):
                local.submit(slot, task)
                tasks.remove(task)
            local.poll(told, 5)
        return told

    return run


def test_tasks_are_run_by_processes_that_stay(make_local, run):
    told = run(make_local(2), [10, 11, 12, 13, 14, 15])
    assert sorted(told.ends) == [(seed, None) for seed in range(10, 16)]
    processes = {what["process"] for _, what in told.seen}
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert sum(what["ran"] == 1 for _, what in told.seen) == 2
    for _, what in told.seen:
        assert what["environment"] == ENVIRONMENT
        assert what["interrupt"]
        assert not what["tensorflow"]


def test_the_environment_of_this_process_stays(make_local, run, monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "7")
    before = dict(os.environ)
    run(make_local(1), [10])
    assert dict(os.environ) == before
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_each_worker_has_a_gpu(make_local, run, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,GPU-b")
    told = run(make_local(3), range(10, 19))
    by_process = {what["process"]: what["gpus"] for _, what in told.seen}
    assert sorted(by_process.values()) == ["4", "4", "GPU-b"][: len(by_process)]


def test_one_gpu_is_everyones(make_local, run, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    told = run(make_local(2), [10, 11])
    assert {what["gpus"] for _, what in told.seen} == {"5"}


@pytest.mark.parametrize(
    ("seed", "reason"),
    [
        (1, "ValueError: bad"),
        (2, "worker ended with exit code 3"),
        (3, "worker killed by SIGSEGV"),
    ],
)
def test_a_failure_costs_one_task(seed, reason, make_local, run):
    told = run(make_local(1), [10, seed, 11])
    assert told.ends == [(10, None), (seed, reason), (11, None)]
    first, second = (what["process"] for _, what in told.seen)
    assert first != second  # a worker that failed isn't used again


def test_a_worker_that_died_while_idle(make_local, run):
    local = make_local(1)
    run(local, [10])
    (worker,) = multiprocessing.active_children()
    worker.kill()
    worker.join()
    assert run(local, [11, 12]).ends == [(11, None), (12, None)]


def test_a_bench_that_cannot_be_made(make_local, run):
    with pytest.raises(UsageError, match="no bench"):
        run(make_local(1, "broken"), [10])


def test_closing_ends_what_runs(make_local, make_cell):
    local = make_local(2)
    for slot in local.free():
        local.submit(slot, Task(make_cell(seed=4), ()))
    local.poll(Told(), 0.5)
    assert local.free() == []
    local.close()
    assert not multiprocessing.active_children()
