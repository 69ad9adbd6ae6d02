"""Executors, which run cells: one file each, made by name."""

import dataclasses
import os

from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.errors import UsageError, unknown
from keras_asymbp.benchmarks.run.executors import base

NAMES = ("local", "ray")


@dataclasses.dataclass(frozen=True)
class Execution:
    """Where and how cells are run.

    Attributes:
        executor: One of `NAMES`.
        jobs: Number of processes that train (`local`); 1 is this process.
        threads: Threads of each process; None for its share of the cores (`local`;
            the backend's default for one job) or for `num_cpus` (`ray`).
        address: The cluster's address (`ray`); None starts a cluster.
        num_cpus: CPUs per task (`ray`).
        num_gpus: GPUs per task (`ray`).
        retries: Number of times that a failed cell is retried.
        deterministic: Whether the backend runs deterministically.
        results_by: Which processes write results, "driver" or "workers".
        whole_epochs: Whether an epoch is one program, on JAX; None for the best choice
            on the device.
        lanes: The most trials of a cell that train together as lanes of one program;
            None for the best choice on the device.

    Raises:
        UsageError: If a value is invalid.
    """

    executor: str = "local"
    jobs: int = 1
    threads: int | None = None
    address: str | None = None
    num_cpus: int = 1
    num_gpus: float = 0
    retries: int = 2
    deterministic: bool = False
    results_by: str = "driver"
    whole_epochs: bool | None = None
    lanes: int | None = None

    def __post_init__(self):
        if self.executor not in NAMES:
            raise unknown("executor", self.executor, NAMES)
        if self.results_by not in ("driver", "workers"):
            raise unknown("writer of results", self.results_by, ("driver", "workers"))
        for name, least in (
            *(("jobs", 1), ("threads", 1), ("num_cpus", 1), ("lanes", 1)),
            *(("num_gpus", 0), ("retries", 0)),
        ):
            value = getattr(self, name)
            if value is not None and not least <= value < float("inf"):
                raise UsageError(f"--{name} must be {least} or more, not {value}")
        others = (
            {"jobs": 1}
            if self.executor == "ray"
            else {"address": None, "num_cpus": 1, "num_gpus": 0}
        )
        for name, value in others.items():
            if getattr(self, name) != value:
                raise UsageError(
                    f"--{name} is not for --executor {self.executor}: leave it out, "
                    "or choose the other executor"
                )

    @property
    def place(self) -> str:
        """Where cells are run, in words."""
        if self.executor == "ray":
            return f"the Ray cluster {self.address or 'of this machine'}"
        return "this process" if self.jobs == 1 else f"{self.jobs} processes"

    @property
    def in_process(self) -> bool:
        """Whether this process trains."""
        return self.executor == "local" and self.jobs == 1


def make(
    execution: Execution,
    make_bench: base.MakeBench,
    folder: str | os.PathLike | None = None,
) -> base.Executor:
    """Makes an executor.

    Args:
        execution: The executor's name and settings.
        make_bench: Makes a workbench in each process that trains.
        folder: The results folder, for the logs of processes on this machine.

    Raises:
        UsageError: If it can't be made.
        ModuleNotFoundError: If its package is missing.
    """
    if execution.in_process:
        from keras_asymbp.benchmarks.run.executors.serial import Serial

        return Serial(make_bench, folder)
    if execution.executor == "local":
        from keras_asymbp.benchmarks.run.executors.local import Local

        share = max(1, environment.cores() // execution.jobs)
        variables = environment.threads(execution.threads, share)
        return Local(make_bench, execution.jobs, variables, folder)
    from keras_asymbp.benchmarks.run.executors.ray import Ray

    variables = environment.threads(execution.threads, execution.num_cpus)
    return Ray(
        make_bench,
        execution.address,
        execution.num_cpus,
        execution.num_gpus,
        variables,
    )
