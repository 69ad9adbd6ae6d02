"""The base of executors, which run tasks, and the ways in which a task can end."""

import abc
import dataclasses
import traceback
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from keras_asymbp.benchmarks.errors import StoreError, UsageError
from keras_asymbp.benchmarks.tables.cells import Cell, Task


class Bench(Protocol):
    """Runs tasks in a process: a `Workbench`, or a stand-in."""

    def run(self, task: Task, report: Callable[..., Any]) -> None:
        """See `Workbench.run`."""


# Sent to each process that trains, to make its workbench: a small, picklable value.
MakeBench = Callable[[], Bench]


class TaskObserver(Protocol):
    """Receives the events of tasks: a `Schedule`."""

    def report(self, task: Task, event: str, *details: Any) -> None:
        """An event of a task; see `Workbench.run`."""

    def ended(self, task: Task, reason: str | None = None) -> None:
        """The end of a task, with the reason if it failed."""


@dataclasses.dataclass(eq=False)
class Slot:
    """Room for one task.

    Attributes:
        last: The cell that ran there last.
    """

    last: Cell | None = None


class Executor(abc.ABC):
    """Runs tasks; a context manager, which ends all running tasks on exit."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    @abc.abstractmethod
    def free(self) -> Sequence[Slot]:
        """The slots in which a task can start."""

    @abc.abstractmethod
    def submit(self, slot: Slot, task: Task) -> None:
        """Starts a task in a free slot."""

    @abc.abstractmethod
    def poll(self, observer: TaskObserver, timeout: float) -> None:
        """Passes on events, waiting for them for at most `timeout` seconds.

        Raises:
            UsageError: If a task is impossible, so that retries are no use.
            ModuleNotFoundError: If a package is missing where tasks run.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Ends all running tasks within seconds."""


@dataclasses.dataclass(frozen=True)
class Ending:
    """The end of a task, in a form that can be sent between processes.

    Attributes:
        reason: Why it failed, or None.
        refused: Whether the request is at fault, so that retries are no use.
        missing: The missing package, if that is the reason.
    """

    reason: str | None = None
    refused: bool = False
    missing: str | None = None

    @property
    def has_traceback(self) -> bool:
        """Whether a traceback says more than the reason; see `run`."""
        return self.reason is not None and not self.refused

    @classmethod
    def of(cls, error: Exception) -> "Ending":
        """The end of a task that raised an error."""
        if isinstance(error, ModuleNotFoundError):
            return cls(str(error), missing=error.name or str(error))
        if isinstance(error, UsageError) and not isinstance(error, StoreError):
            return cls(str(error), refused=True)
        return cls(describe(error))

    def settle(self, observer: TaskObserver, task: Task) -> None:
        """Passes the end on; raises an error if retries are no use."""
        if self.missing:
            raise ModuleNotFoundError(
                f"No module named {self.missing!r}", name=self.missing
            )
        if self.refused:
            raise UsageError(self.reason)
        observer.ended(task, self.reason)


def run(get_bench: MakeBench, task: Task, report: Callable[..., Any]) -> Ending:
    """Runs a task on a process's workbench; returns how it ended.

    The traceback of an error goes to `sys.stderr`, which is the process's log, unless
    the request is at fault.

    Raises:
        StoreError: If `report` does.
    """
    try:
        get_bench().run(task, report)
    except StoreError:
        raise
    except Exception as error:
        ending = Ending.of(error)
        if ending.has_traceback:
            traceback.print_exception(error)
        return ending
    return Ending()


def describe(error: BaseException) -> str:
    """An error as one line.

    >>> describe(ValueError("a\\nb")), describe(MemoryError())
    ('ValueError: a', 'out of memory: MemoryError')
    """
    lines = str(error).strip().splitlines()
    text = type(error).__name__ + (f": {lines[0][:200]}" if lines else "")
    # TensorFlow's error, by name: TensorFlow may not be imported here. It has the same
    # for a full disk.
    exhausted = "ResourceExhausted" in text and "No space left" not in str(error)
    memory = isinstance(error, MemoryError) or exhausted
    return f"out of memory: {text}" if memory else text
