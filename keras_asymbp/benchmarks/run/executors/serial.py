"""Runs tasks in this process, one after another."""

import functools
import os
import time

from keras_asymbp.benchmarks import guard
from keras_asymbp.benchmarks.run.executors import base
from keras_asymbp.benchmarks.run.log import Log
from keras_asymbp.benchmarks.tables.cells import Task


class Serial(base.Executor):
    """Runs tasks in this process, one after the other.

    Args:
        make_bench: Makes the workbench, and another one after a failure.
        folder: The results folder, for the log; None for no log.
    """

    def __init__(
        self, make_bench: base.MakeBench, folder: str | os.PathLike | None = None
    ):
        self._make_bench = make_bench
        self._get_bench = functools.cache(make_bench)
        self._slot = base.Slot()
        self._task: Task | None = None
        self._log = Log(folder)

    def free(self):
        return [] if self._task else [self._slot]

    def submit(self, slot, task):
        self._task, slot.last = task, task.cell

    def poll(self, observer, timeout):
        if self._task is None:
            time.sleep(timeout)
            return
        task = self._task
        with self._log.taking_errors():
            ending = base.run(
                self._get_bench, task, functools.partial(observer.report, task)
            )
        self._task = None
        if guard.interrupted():
            # Libraries may catch it, or make another error of it.
            raise KeyboardInterrupt
        if ending.has_traceback and (note := self._log.reference()):
            observer.report(task, "note", note)
        if ending.reason:
            self._get_bench = functools.cache(self._make_bench)
        ending.settle(observer, task)

    def close(self):
        self._task = None
        self._log.end()
