"""Runs the trials of plans that are missing in the store, in a fast order."""

import functools
from collections.abc import Callable, Iterable, Sequence

from keras_asymbp.benchmarks.errors import StoreError
from keras_asymbp.benchmarks.results.leases import EXPIRY, Leases
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.run import executors, planning
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

# Maximum number of seconds between two looks at the schedule.
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
    """Runs the trials that are missing in the store.

    Other runs may work on the same store at the same time: each trial is run by one of
    them, and this run ends when all trials of its plans are stored or have failed.

    Args:
        plans: The plans; their protocols have the same number of epochs.
        store: Holds the finished trials.
        display: Shows the progress.
        data_dir: Folder of the prepared data sets.
        command: The command line, stored with each result.
        execution: Where and how to run; by default in this process.
        workbench: Makes the bench that runs cells, in each process that trains; by
            default a `Workbench`.
        lease_expiry: Seconds after which the leases of a dead run are taken over.
        tensorboard_dir: Folder for the TensorBoard events of each trial.

    Returns:
        The cells that failed, with reasons.

    Raises:
        UsageError: If the request is impossible.
        ModuleNotFoundError: If a package is missing.
    """
    execution = execution or Execution()
    cells = in_order(cell for plan in plans for cell in plan.cells())
    display.start(
        total=sum(work.trials for work in planning.workloads(plans, store)),
        epochs=plans[0].setup.protocol.epochs,
    )
    leases = Leases(store.folder / "leases", lease_expiry)
    schedule = Schedule(cells, store, leases, display, execution.retries)
    if schedule.over:
        return {}
    store.require_writable()
    display.working(execution.place)
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
    for name in ("whole_epochs", "lanes"):
        if (value := getattr(execution, name)) is not None:
            make_bench = functools.partial(make_bench, **{name: value})
    with leases, executors.make(execution, make_bench, store.folder) as executor:
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


def in_order(cells: Iterable[Cell]) -> list[Cell]:
    """The cells without duplicates, by data set, and in it by model."""
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
