"""What executors share: how tasks are given to processes, and how a task can end."""

import abc
import dataclasses
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol

from keras_asymbp.benchmarks.errors import StoreError, UsageError
from keras_asymbp.benchmarks.tables.cells import Cell, Task


class Bench(Protocol):
    """What runs tasks in a process: a `Workbench`, or what stands in for one."""

    def run(self, task: Task, tell: Callable[..., Any]) -> None:
        """See `Workbench.run`."""


# Sent to each process that trains: a small value, which makes its workbench there.
MakeBench = Callable[[], Bench]


class Tasks(Protocol):
    """Who is told of tasks: a `Schedule`."""

    def tell(self, task: Task, event: str, *what: Any) -> None:
        """Something happened in a task."""

    def ended(self, task: Task, reason: str | None = None) -> None:
        """A task is over: it is done, or has failed for a reason."""


@dataclasses.dataclass(eq=False)
class Slot:
    """Room for one task.

    Attributes:
        last: The cell that was run there last.
    """

    last: Cell | None = None


class Executor(abc.ABC):
    """Runs tasks somewhere; a context, at whose end nothing runs any more."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    @abc.abstractmethod
    def free(self) -> Sequence[Slot]:
        """The slots in which a task may be started."""

    @abc.abstractmethod
    def submit(self, slot: Slot, task: Task) -> None:
        """Starts a task in a free slot."""

    @abc.abstractmethod
    def poll(self, tasks: Tasks, timeout: float) -> None:
        """Tells what has happened; waits for it, at most so many seconds.

        Raises:
            UsageError: If a task can't be met, which trying again won't change.
            ModuleNotFoundError: If a package is missing where tasks are run.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Ends what is running, within seconds."""


@dataclasses.dataclass(frozen=True)
class Ending:
    """How a task ended, as it can be sent.

    Attributes:
        reason: Why it failed, or None.
        refused: Whether the request is at fault: trying again won't help.
        missing: The package that is missing, if that is why.
        trace: The traceback of an error.
    """

    reason: str | None = None
    refused: bool = False
    missing: str | None = None
    trace: str = ""

    @classmethod
    def of(cls, error: Exception) -> "Ending":
        """The end that an error makes."""
        if isinstance(error, ModuleNotFoundError):
            return cls(str(error), missing=error.name or str(error))
        if isinstance(error, UsageError) and not isinstance(error, StoreError):
            return cls(str(error), refused=True)
        return cls(describe(error), trace="".join(traceback.format_exception(error)))

    def settle(self, tasks: Tasks, task: Task) -> None:
        """Tells of the end; raises if there is no use in going on."""
        if self.missing:
            _missing(self.missing)
        if self.refused:
            raise UsageError(self.reason)
        tasks.ended(task, self.reason)


def run(get_bench: MakeBench, task: Task, tell: Callable[..., Any]) -> Ending:
    """Runs a task on a process's workbench, and says how it ended.

    Raises:
        StoreError: If `tell` does.
    """
    try:
        get_bench().run(task, tell)
    except StoreError:
        raise
    except Exception as error:
        return Ending.of(error)
    return Ending()


def describe(error: BaseException) -> str:
    """An error in a line.

    >>> describe(ValueError("a\\nb")), describe(MemoryError())
    ('ValueError: a', 'out of memory: MemoryError')
    """
    lines = str(error).strip().splitlines()
    text = type(error).__name__ + (f": {lines[0][:200]}" if lines else "")
    # TensorFlow's, by its name: it may not be imported here.
    memory = isinstance(error, MemoryError) or "ResourceExhausted" in text
    return f"out of memory: {text}" if memory else text


def _missing(name) -> NoReturn:
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)
