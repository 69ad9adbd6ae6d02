"""Runs tasks in worker processes on this machine.

Existing process pools do not fit: `concurrent.futures` and loky give up all tasks when
one worker dies. Pebble does not, but it can neither send cells to the worker that holds
their model nor give each worker its own GPU, and its workers share one pipe, whose lock
may die with its holder. Here each worker has its own pipe and shares nothing: its death
closes the pipe and costs one task.
"""

import contextlib
import functools
import multiprocessing
import multiprocessing.connection
import multiprocessing.process
import multiprocessing.resource_tracker
import os
import signal
import threading
import time
from typing import Any

from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.run.executors import base
from keras_asymbp.benchmarks.run.log import Log
from keras_asymbp.benchmarks.tables.cells import Task

# "fork" copies the locks of TensorFlow's threads, but not the threads.
_CONTEXT = multiprocessing.get_context("spawn")
# Seconds for a worker to end after SIGTERM.
_GRACE = 2.0


class Local(base.Executor):
    """Worker processes, which run one task at a time.

    A worker that failed is ended, and another is started for the next task.

    Args:
        make_bench: Makes a workbench, in each worker.
        jobs: Number of workers.
        variables: Environment variables of the workers, read when they import
            the backend. If there are several GPUs, each worker sees one of them.
        folder: The results folder, for a log a worker; None for no logs.
    """

    def __init__(
        self,
        make_bench: base.MakeBench,
        jobs: int,
        variables: dict[str, str],
        folder: str | os.PathLike | None = None,
    ):
        gpus = environment.gpus()
        self._workers = []
        for number in range(jobs):
            own = environment.GPU_MEMORY | variables
            if len(gpus) > 1:
                own["CUDA_VISIBLE_DEVICES"] = gpus[number % len(gpus)]
            self._workers.append(_Worker(make_bench, own, folder))

    def free(self):
        return [worker for worker in self._workers if worker.task is None]

    def submit(self, slot, task):
        slot.submit(task)

    def poll(self, observer, timeout):
        busy = {worker.connection: worker for worker in self._workers if worker.task}
        if not busy:
            time.sleep(timeout)
            return
        for connection in multiprocessing.connection.wait(list(busy), timeout):
            busy[connection].receive(observer)

    def close(self):
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.end()


class _Worker(base.Slot):
    """A process and this end of its pipe."""

    def __init__(self, make_bench, variables, folder):
        super().__init__()
        self._make_bench, self._variables = make_bench, variables
        self._folder, self._log = folder, Log(None)
        self._process: multiprocessing.process.BaseProcess | None = None
        self.connection: Any = None
        self.task: Task | None = None

    def submit(self, task):
        if self._process is None or not self._process.is_alive():
            self._start()
        self.task, self.last = task, task.cell
        # If the worker has died since, `receive` meets the end of its pipe.
        with contextlib.suppress(OSError):
            self.connection.send(task)

    def receive(self, observer):
        task = self.task
        try:
            event = self.connection.recv()
        except (EOFError, OSError):
            self.task = None
            ending = base.Ending(self._death())
            note = self._log.last_lines()
        else:
            if not isinstance(event, base.Ending):
                observer.report(task, *event)
                return
            self.task, ending = None, event
            note = self._log.reference() if ending.has_traceback else ""
        if ending.reason:
            self.end()
            if note:
                observer.report(task, "note", note)
        ending.settle(observer, task)

    def terminate(self):
        if self._process:
            self._process.terminate()

    def end(self):
        """Ends the process, by force if necessary."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        process.join(_GRACE)
        process.kill()
        process.join()
        process.close()
        self.connection.close()
        self._log.end()
        self.last = None

    def _start(self):
        self.end()
        self.connection, theirs = _CONTEXT.Pipe()
        self._log = Log(self._folder)
        self._process = _CONTEXT.Process(
            target=_work, args=(theirs, self._make_bench, self._log), daemon=True
        )
        with _inherited(self._variables):
            self._process.start()
        theirs.close()

    def _death(self):
        """The reason of the worker's death."""
        self._process.join(_GRACE)
        code = self._process.exitcode
        if code is None:
            return "worker closed its pipe"
        if code >= 0:
            return f"worker ended with exit code {code}"
        name = signal.Signals(-code).name
        hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
        return f"worker killed by {name}{hint}"


@contextlib.contextmanager
def _inherited(variables):
    """Sets environment variables and blocks SIGINT for processes started meanwhile.

    Ctrl-C reaches all processes of a terminal, but the driver has to end the workers. A
    signal sent meanwhile arrives afterwards.
    """
    # Started with the first process, the tracker would unblock the signal.
    multiprocessing.resource_tracker.ensure_running()
    before = dict(os.environ)
    signals = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            if name in before:
                os.environ[name] = before[name]
            else:
                del os.environ[name]
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)


def _work(connection, make_bench, log):
    """The main loop of a worker."""
    log.take(1, 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    get_bench = functools.cache(make_bench)
    with contextlib.suppress(EOFError, OSError):  # the driver is gone
        while True:
            task = connection.recv()
            ending = base.run(get_bench, task, lambda *event: connection.send(event))
            connection.send(ending)


def _end_with_parent():
    multiprocessing.process.parent_process().join()
    os._exit(1)
