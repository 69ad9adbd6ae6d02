"""Runs tasks in this process, one after another."""

import functools
import time

from keras_asymbp.benchmarks.run.executors import base
from keras_asymbp.benchmarks.tables.cells import Task


class Serial(base.Executor):
    """Runs tasks in this process, one after the other.

    Args:
        make_bench: Makes the workbench, and another one after a failure.
    """

    def __init__(self, make_bench: base.MakeBench):
        self._make_bench = make_bench
        self._get_bench = functools.cache(make_bench)
        self._slot = base.Slot()
        self._task: Task | None = None

    def free(self):
        return [] if self._task else [self._slot]

    def submit(self, slot, task):
        self._task, slot.last = task, task.cell

    def poll(self, observer, timeout):
        if self._task is None:
            time.sleep(timeout)
            return
        task = self._task
        ending = base.run(
            self._get_bench, task, functools.partial(observer.report, task)
        )
        self._task = None
        if ending.reason:
            self._get_bench = functools.cache(self._make_bench)
        ending.settle(observer, task)

    def close(self):
        self._task = None
