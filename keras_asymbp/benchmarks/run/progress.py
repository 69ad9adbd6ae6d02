"""Progress of a run: a live display on a terminal, plain lines when piped."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import rich.console
import rich.progress
import rich.table
import rich.text

from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.counting import counted
from keras_asymbp.benchmarks.escaping.printable import one_line
from keras_asymbp.benchmarks.tables.cells import Cell, TrialSpec
from keras_asymbp.benchmarks.tables.protocol import score

# Length of a name in the live display, which must fit the screen.
_LONGEST = 100


def bar(console: rich.console.Console) -> Callable[..., Iterable]:
    """Returns a function that wraps an iterable in a progress bar, on a terminal."""
    return functools.partial(
        rich.progress.track, console=console, disable=not console.is_terminal
    )


class Display:
    """Shows the cell, the rate, the epoch, the error so far and the time left.

    Args:
        console: Where to print: a live display on a terminal, otherwise a line for
            each finished trial.
    """

    def __init__(self, console: rich.console.Console):
        self._total = self._done = self._found = self._epochs = self._to_run = 0
        self._best: dict[Cell, dict[str, Any]] = {}
        self._running: dict[tuple[Cell, TrialSpec], rich.progress.TaskID] = {}
        self._notes: set[str] = set()
        self._starting: rich.progress.TaskID | None = None
        self._waiting = False
        # Long names take several lines of their column; the others stay whole.
        names = rich.table.Column(overflow="fold")
        self._progress = rich.progress.Progress(
            rich.progress.TextColumn(
                "{task.description}", markup=False, table_column=names
            ),
            rich.progress.BarColumn(bar_width=8),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TimeElapsedColumn(),
            rich.progress.TimeRemainingColumn(compact=True),
            console=console,
            disable=not console.is_terminal,
            # The time left is estimated over minutes, not over the last seconds.
            speed_estimate_period=600,
        )

    def __enter__(self):
        self._progress.start()
        return self

    def __exit__(self, *exception):
        self._progress.stop()

    def start(self, total: int, epochs: int) -> None:
        """Starts a run of `total` trials of `epochs` epochs."""
        self._total, self._epochs, self._to_run = total, epochs, total * epochs
        self._all = self._progress.add_task("all trials, in epochs", total=self._to_run)

    def found(self, cell: Cell, result: dict[str, Any], again: bool = False) -> None:
        """Shows that a trial is stored already.

        Args:
            cell: The cell.
            result: The trial's result.
            again: Whether it is counted already, as a trial of another cell.
        """
        if not again:
            self._found += 1
            # Not work done: the time left is estimated from trials that run.
            self._to_run -= self._epochs
            self._progress.update(self._all, total=self._to_run)
        self._finish(cell, result, again)

    def working(self, place: str) -> None:
        """Shows, before the first trial begins, what is left to run, and where."""
        left = self._total - self._done
        self._print(f"running {left} of {counted(self._total, 'trial')} in {place}")
        self._starting = self._progress.add_task(
            f"starting {environment.backend()}", total=None
        )

    def note(self, text: str) -> None:
        """Shows a text once."""
        if text not in self._notes:
            for line in text.splitlines():
                self._print(line)
        self._notes.add(text)

    def begin(self, cell: Cell, trial: TrialSpec) -> None:
        """Shows that a trial has started; several may run at once."""
        if self._starting is not None:
            self._progress.remove_task(self._starting)
            self._starting = None
        self._running[cell, trial] = self._progress.add_task(
            _short_name(cell, trial), total=self._epochs
        )

    def epoch(self, cell: Cell, trial: TrialSpec, row: dict[str, Any]) -> None:
        """Shows an epoch of a trial, by its row of the curves."""
        self._progress.advance(self._all)
        error = f"error {100 * row['test_error']:.2f} %"
        self._progress.update(
            self._running[cell, trial],
            completed=row["epoch"],
            description=f"{_short_name(cell, trial)} | {error}",
        )

    def end(self, cell: Cell, trial: TrialSpec, result: dict[str, Any]) -> None:
        """Shows the result of a trial, which is stored."""
        if (bar := self._running.pop((cell, trial), None)) is not None:
            self._progress.remove_task(bar)
        # A trial that diverged skips its other epochs.
        self._progress.advance(self._all, self._epochs - len(result["curves"]))
        best = self._finish(cell, result)
        error = f"{100 * result['best_error']:.2f} %"
        if result["diverged"]:
            error += " (diverged)"
        self._print(
            f"{self._done}/{self._total} {_name(cell, trial)}: error {error}, "
            f"best so far {100 * best:.2f} %"
        )

    def failed(self, cell: Cell, reason: str, again: bool) -> None:
        """Shows that a cell has failed, and whether it is tried again."""
        for key in [key for key in self._running if key[0] == cell]:
            bar = self._running.pop(key)
            # The epochs of the unfinished trial are lost.
            (lost,) = [t.completed for t in self._progress.tasks if t.id == bar]
            self._progress.advance(self._all, -lost)
            self._progress.remove_task(bar)
        name = f"{cell.place} | {cell.column.name} | seed {cell.seed}"
        self._print(f"failed{', trying again' if again else ''}: {name}: {reason}")

    def waiting(self, cells: int) -> None:
        """Shows, once, that only cells leased by other runs are left."""
        if not self._waiting:
            self._print(f"waiting for {counted(cells, 'cell')} of another run")
        self._waiting = True

    def summary(self) -> str:
        """Number of trials that were run, and that were stored before."""
        run = counted(self._done - self._found, "trial")
        return f"{run} run, {self._found} found stored"

    def _finish(self, cell, result, again=False):
        self._done += not again
        self._best[cell] = min(self._best.get(cell, result), result, key=score)
        return self._best[cell]["best_error"]

    def _print(self, line):
        text = rich.text.Text(one_line(line))
        self._progress.console.print(text, highlight=False, soft_wrap=True)


def _name(cell, trial):
    name = f"{cell.place} | {cell.column.name} | rate {trial.learning_rate:g}"
    if len(trial.batch_schedule) > 1:
        sizes = "-".join(str(size) for _, size in trial.batch_schedule)
        name += f" | batch {sizes}"
    return one_line(f"{name} | seed {cell.seed}")


def _short_name(cell, trial):
    name = _name(cell, trial)
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST // 2]}…{name[-_LONGEST // 2 :]}"
    return name
