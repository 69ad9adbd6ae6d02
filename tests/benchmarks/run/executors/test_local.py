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
    """Acts by the seed of a cell, and reports its process and environment."""

    def __init__(self, state):
        self.ran = 0
        if state == "broken":
            raise UsageError("no bench")

    def run(self, task, report):
        self.ran += 1
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
            "ran": self.ran,
            "environment": {name: os.environ.get(name) for name in ENVIRONMENT},
            "gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
            "interrupt": signal.SIGINT in blocked
            and signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
            "tensorflow": "tensorflow" in sys.modules,
        }
        report("seen", seen)


class TaskObserver:
    """Keeps events and ends of tasks, by seed."""

    def __init__(self):
        self.seen, self.ends = [], []

    def report(self, task, event, seen):
        self.seen.append((task.cell.seed, seen))

    def ended(self, task, reason=None):
        self.ends.append((task.cell.seed, reason))


@pytest.fixture
def make_local(monkeypatch):
    # Workers inherit both, and so import no TensorFlow.
    monkeypatch.setattr(sys, "argv", ["keras-asymbp"])
    monkeypatch.syspath_prepend(os.path.dirname(__file__))
    import test_local

    made = []

    def make(jobs, state=""):
        made.append(
            Local(functools.partial(test_local.Bench, state), jobs, ENVIRONMENT)
        )
        return made[-1]

    yield make
    for local in made:
        local.close()
    assert not multiprocessing.active_children()


@pytest.fixture
def run(make_cell):
    """Runs cells with these seeds, as slots become free."""

    def run(local, seeds, observer=None):
        observer = observer or TaskObserver()
        tasks = [Task(make_cell(seed=seed), ()) for seed in seeds]
        while len(observer.ends) < len(seeds):
            for slot, task in zip(local.free(), list(tasks), strict=False):
                local.submit(slot, task)
                tasks.remove(task)
            local.poll(observer, 5)
        return observer

    return run


def test_workers_run_several_tasks(make_local, run):
    observer = run(make_local(2), [10, 11, 12, 13, 14, 15])
    assert sorted(observer.ends) == [(seed, None) for seed in range(10, 16)]
    processes = {seen["process"] for _, seen in observer.seen}
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert sum(seen["ran"] == 1 for _, seen in observer.seen) == 2
    for _, seen in observer.seen:
        assert seen["environment"] == ENVIRONMENT
        assert seen["interrupt"]
        assert not seen["tensorflow"]


def test_the_environment_of_this_process_is_unchanged(make_local, run, monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "7")
    before = dict(os.environ)
    run(make_local(1), [10])
    assert dict(os.environ) == before
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_each_worker_has_a_gpu(make_local, run, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,GPU-b")
    observer = run(make_local(3), range(10, 19))
    by_process = {seen["process"]: seen["gpus"] for _, seen in observer.seen}
    assert sorted(by_process.values()) == ["4", "4", "GPU-b"][: len(by_process)]


def test_workers_share_a_single_gpu(make_local, run, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    observer = run(make_local(2), [10, 11])
    assert {seen["gpus"] for _, seen in observer.seen} == {"5"}


@pytest.mark.parametrize(
    ("seed", "reason"),
    [
        (1, "ValueError: bad"),
        (2, "worker ended with exit code 3"),
        (3, "worker killed by SIGSEGV"),
    ],
)
def test_a_failure_costs_one_task(seed, reason, make_local, run):
    observer = run(make_local(1), [10, seed, 11])
    assert observer.ends == [(10, None), (seed, reason), (11, None)]
    first, second = (seen["process"] for _, seen in observer.seen)
    assert first != second  # a worker that failed is replaced


def test_a_worker_that_died_while_idle(make_local, run):
    local = make_local(1)
    run(local, [10])
    (worker,) = multiprocessing.active_children()
    worker.kill()
    worker.join()
    assert run(local, [11, 12]).ends == [(11, None), (12, None)]


def test_an_error_of_the_bench_is_raised(make_local, run):
    with pytest.raises(UsageError, match="no bench"):
        run(make_local(1, "broken"), [10])


def test_closing_ends_running_tasks(make_local, make_cell):
    local = make_local(2)
    for slot in local.free():
        local.submit(slot, Task(make_cell(seed=4), ()))
    local.poll(TaskObserver(), 0.5)
    assert local.free() == []
    local.close()
    assert not multiprocessing.active_children()
