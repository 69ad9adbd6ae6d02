"""Runs the cells of plans that aren't in the store yet, in an order that is fast."""

import functools
from collections.abc import Callable, Iterable, Sequence

from keras_asymbp.benchmarks.errors import StoreError
from keras_asymbp.benchmarks.results.leases import EXPIRY, Leases
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.run import executors
from keras_asymbp.benchmarks.run.executors import Execution
from keras_asymbp.benchmarks.run.executors.base import Bench
from keras_asymbp.benchmarks.run.progress import Display
from keras_asymbp.benchmarks.run.schedule import Schedule
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.plan import Plan
from keras_asymbp.benchmarks.training.workbench import (
    Workbench,
    require,
)

# Seconds at most between two looks at what there is to do.
_POLL = 1.0


def run(
    plans: Sequence[Plan],
    store: Store,
    display: Display,
    data_dir: str | None,
    command: str,
    execution: Execution | None = None,
    workbench: Callable[..., Bench] | None = None,
    lease_expiry: float = EXPIRY,
    tensorboard_dir: str | None = None,
) -> dict[Cell, str]:
    """Runs what isn't in the store yet.

    Other runs may work on the same store meanwhile: each trial is run by one of them,
    and this run ends when all of its own plans' trials are there, or have failed.

    Args:
        plans: What to run: tables by protocols of as many epochs.
        store: Where finished trials are looked up and put.
        display: Is told what happens.
        data_dir: Folder of the prepared data sets.
        command: The command line, kept with each result.
        execution: Where and how; by default in this process.
        workbench: What runs cells, by default a `Workbench`; made in each process that
            does.
        lease_expiry: Seconds after which others take over what a run that is dead had
            taken.
        tensorboard_dir: Folder to write what TensorBoard shows of each trial into.

    Returns:
        The cells that failed, and why.

    Raises:
        UsageError: If the request can't be met.
        ModuleNotFoundError: If a package is missing.
    """
    execution = execution or Execution()
    cells = _in_order(cell for plan in plans for cell in plan.cells())
    display.start(
        total=sum(len(cell.trials()) for cell in cells),
        epochs=plans[0].protocol.epochs,
    )
    leases = Leases(store.folder / "leases", lease_expiry)
    schedule = Schedule(cells, store, leases, display, execution.retries)
    if schedule.over:
        return {}
    store.require_writable()
    if execution.executor == "local":
        require()
    make_bench = functools.partial(
        workbench or Workbench,
        data_dir,
        command,
        execution.deterministic,
        store.folder.absolute() if execution.results_by == "workers" else None,
    )
    if tensorboard_dir:
        make_bench = functools.partial(make_bench, tensorboard_dir=tensorboard_dir)
    with leases, executors.make(execution, make_bench) as executor:
        try:
            while not schedule.over:
                for slot in executor.free():
                    task = schedule.next(slot.last)
                    if task is None:
                        break
                    executor.submit(slot, task)
                executor.poll(schedule, _POLL)
        except StoreError as error:
            schedule.give_up(str(error))
    failures = schedule.failures
    return {cell: failures[cell] for cell in cells if cell in failures}


def _in_order(cells: Iterable[Cell]) -> list[Cell]:
    """The cells, each once, a data set at a time and in it all seeds of a model."""
    cells = dict.fromkeys(cells)
    ranks = [
        {key: rank for rank, key in enumerate(dict.fromkeys(keys))}
        for keys in (
            [cell.dataset.name for cell in cells],
            [cell.column for cell in cells],
        )
    ]
    datasets, columns = ranks
    return sorted(
        cells, key=lambda cell: (datasets[cell.dataset.name], columns[cell.column])
    )
