"""The remaining work of a run, and the next task to start."""

import time
from collections.abc import Sequence
from typing import Any

from keras_asymbp.benchmarks.errors import StoreError
from keras_asymbp.benchmarks.results.leases import Leases
from keras_asymbp.benchmarks.results.store import Store, trial_id
from keras_asymbp.benchmarks.run.progress import Display
from keras_asymbp.benchmarks.tables.cells import Cell, Task, TrialSpec


class Schedule:
    """Hands out cells, stores their results, and retries failed cells.

    A cell is handed out with those of its trials that are neither stored nor leased by
    another run. Trials leased by another run are left to it; once there is no other
    work, this run waits for them.

    Args:
        cells: The cells, in order.
        store: Holds the finished trials.
        leases: The trials that this run works on, visible to other runs on the folder.
        display: Shows the progress.
        retries: Number of times that a failed cell is retried.
        lease_poll: Seconds between two looks at a cell leased by another run.

    Attributes:
        failures: The cells that were given up, with reasons.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        store: Store,
        leases: Leases,
        display: Display,
        retries: int,
        lease_poll: float = 1.0,
    ):
        self._store, self._leases, self._display = store, leases, display
        self._retries, self._lease_poll = retries, lease_poll
        self._order = {cell: number for number, cell in enumerate(cells)}
        self._running: set[Cell] = set()
        self._attempts: dict[Cell, int] = {}
        self._look_again: dict[Cell, float] = {}
        self._found: set[tuple[Cell, TrialSpec]] = set()
        self._counted: set[str] = set()  # ids: cells may share trials
        self.failures: dict[Cell, str] = {}
        self._pending = {cell: None for cell in cells if self._missing(cell)}

    @property
    def over(self) -> bool:
        """Whether nothing runs or is left to run."""
        return not self._pending and not self._running

    def next(self, last: Cell | None) -> Task | None:
        """Takes the next task, or None if there is none for now.

        Args:
            last: The last cell of the process that asks, which still holds its data set
                and its compiled model.
        """
        now = time.monotonic()
        models = {_model(cell) for cell in self._running}

        def rank(cell):
            return (
                last is None or _model(cell) != _model(last),
                last is None or cell.dataset != last.dataset,
                _model(cell) in models,  # another process has it compiled
                self._order[cell],
            )

        for cell in sorted(self._pending, key=rank):
            if self._look_again.get(cell, now) > now:
                continue
            if task := self._take(cell):
                return task
        if self._pending and not self._running:
            self._display.waiting(len(self._pending))
        return None

    def report(self, task: Task, event: str, trial: Any, *details) -> None:
        """Records an event of a task; see `Workbench.run`.

        The event `"note"` has a text for the user in place of a trial.

        Raises:
            StoreError: If a result can't be stored.
        """
        cell = task.cell
        if event == "begin":
            self._display.begin(cell, trial)
        elif event == "epoch":
            self._display.epoch(cell, trial, *details)
        elif event == "note":
            self._display.note(trial)
        else:
            (record,) = details
            if (cell, trial) in self._found:
                return  # a late duplicate
            stored = self._store.put(cell.label(trial), record)
            self._leases.finish(stored["id"])
            self._found.add((cell, trial))
            self._counted.add(stored["id"])
            self._display.end(cell, trial, stored["result"])

    def ended(self, task: Task, reason: str | None = None) -> None:
        """Records the end of a task.

        Args:
            task: The task.
            reason: Why it failed, or None.
        """
        cell = task.cell
        self._running.remove(cell)
        for trial in task.trials:
            self._leases.give_up(trial_id(cell.settings(trial)))
        self._look_again.clear()  # the task may have had trials of other cells
        if not self._missing(cell):
            return
        if reason is None:
            self._pending[cell] = None  # other runs have leased the rest
            return
        attempts = self._attempts[cell] = self._attempts.get(cell, 0) + 1
        again = attempts <= self._retries
        self._display.failed(cell, reason, again)
        if again:
            self._pending[cell] = None
        else:
            self.failures[cell] = reason

    def give_up(self, reason: str) -> None:
        """Ends the run: all unfinished cells have failed for a reason."""
        for cell in (*self._running, *self._pending):
            self.failures[cell] = reason
        self._running.clear()
        self._pending.clear()

    def _take(self, cell):
        """Takes the free trials of a cell."""
        missing = {
            trial_id(cell.settings(trial)): trial for trial in self._missing(cell)
        }
        try:
            taken = [name for name in missing if self._leases.take(name)]
        except OSError as error:
            raise StoreError(
                f"can't write to the results folder {self._store.folder} "
                f"({error.strerror}): finished trials are kept; fix the cause and run "
                "the same command again"
            ) from error
        # Other runs may have finished trials before they were leased.
        self._store.refresh()
        remaining = self._missing(cell)
        for name in taken:
            if missing[name] not in remaining:
                self._leases.finish(name)
        trials = tuple(missing[name] for name in taken if missing[name] in remaining)
        if not remaining or trials:
            del self._pending[cell]
        if not trials:
            self._look_again[cell] = time.monotonic() + self._lease_poll
            return None
        self._running.add(cell)
        return Task(cell, trials)

    def _missing(self, cell):
        """The trials of a cell that are not stored; the display counts the others."""
        missing = []
        for trial in cell.trials():
            stored = self._store.get(cell.settings(trial))
            if not stored:
                missing.append(trial)
            elif (cell, trial) not in self._found:
                self._found.add((cell, trial))
                again = stored["id"] in self._counted
                self._display.found(cell, stored["result"], again)
                self._counted.add(stored["id"])
        return missing


def _model(cell):
    """The key of the cells that share one compiled model."""
    return cell.dataset, cell.column, cell.protocol
