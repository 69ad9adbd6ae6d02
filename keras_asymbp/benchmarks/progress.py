"""What a run shows while it runs: a live display, or plain lines when piped."""

from typing import Any

import rich.console
import rich.progress

from keras_asymbp.benchmarks.cells import Cell, TrialSpec


class Display:
    """Shows the cell, the rate, the epoch, the error so far and the time left.

    Args:
        console: Where to; a terminal gets a live display, anything else a line for
            each finished trial.
    """

    def __init__(self, console: rich.console.Console):
        self._console = console
        self._total = self._done = self._found = self._epochs = self._to_run = 0
        self._best: dict[Cell, float] = {}
        self._running = ""
        self._progress = rich.progress.Progress(
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(bar_width=20),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TimeElapsedColumn(),
            rich.progress.TimeRemainingColumn(compact=True),
            console=console,
            disable=not console.is_terminal,
            # The time left is estimated over whole minutes, not the last seconds.
            speed_estimate_period=600,
        )

    def __enter__(self):
        self._progress.start()
        return self

    def __exit__(self, *exception):
        self._progress.stop()

    def start(self, total: int, epochs: int) -> None:
        """A run begins: `total` trials of `epochs` epochs."""
        self._total, self._epochs, self._to_run = total, epochs, total * epochs
        self._all = self._progress.add_task("all trials, in epochs", total=self._to_run)
        self._one = self._progress.add_task("", total=epochs, visible=False)

    def found(self, cell: Cell, result: dict[str, Any]) -> None:
        """A trial is in the store already."""
        self._found += 1
        # Not work done: the time left is measured on trials that run.
        self._to_run -= self._epochs
        self._progress.update(self._all, total=self._to_run)
        self._finish(cell, result)

    def begin(self, cell: Cell, trial: TrialSpec) -> None:
        """A trial starts."""
        self._running = _name(cell, trial)
        self._progress.reset(self._one, description=self._running, visible=True)

    def epoch(self, row: dict[str, Any]) -> None:
        """An epoch of the trial is over; `row` is its row of the curves."""
        self._progress.advance(self._all)
        self._progress.update(
            self._one,
            completed=row["epoch"],
            description=f"{self._running} | error {100 * row['test_error']:.2f} %",
        )

    def end(self, cell: Cell, trial: TrialSpec, result: dict[str, Any]) -> None:
        """A trial is over and stored."""
        # A run that diverged has no further epochs.
        self._progress.advance(self._all, self._epochs - len(result["curves"]))
        best = self._finish(cell, result)
        error = f"{100 * result['best_error']:.2f} %"
        if result["diverged"]:
            error += " (diverged)"
        self._progress.console.print(
            f"{self._done}/{self._total} {_name(cell, trial)}: error {error}, "
            f"best so far {100 * best:.2f} %",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )

    def summary(self) -> str:
        """How many trials were run and how many were there."""
        return f"{self._done - self._found} trials run, {self._found} found stored"

    def _finish(self, cell, result):
        self._done += 1
        self._best[cell] = min(self._best.get(cell, 1.0), result["best_error"])
        return self._best[cell]


def _name(cell, trial):
    name = f"{cell.dataset.name} | {cell.column.name} | rate {trial.learning_rate:g}"
    if len(trial.batch_schedule) > 1:
        sizes = "-".join(str(size) for _, size in trial.batch_schedule)
        name += f" | batch {sizes}"
    return f"{name} | seed {cell.seed}"
