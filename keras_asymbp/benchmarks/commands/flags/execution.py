"""Flags of where and how to train."""

from absl import flags

from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.commands.flags.groups import PROCESSES, RAY, Group
from keras_asymbp.benchmarks.run import executors
from keras_asymbp.benchmarks.run.executors import Execution


class ExecutionFlags:
    """The flags of an execution.

    Args:
        values: Where the flags are defined.
    """

    def __init__(self, values: flags.FlagValues):
        group = Group(PROCESSES, values)
        self._jobs = group.integer(
            "jobs",
            None,
            "Number of processes that train, with --executor local; with 1, the "
            "command's own process trains. By default one per GPU, or one per core, "
            "limited by the work and by 2 GB of memory for each.",
        )
        self._threads = group.integer(
            "threads",
            None,
            "Threads of each process that trains, instead of its share of the cores.",
        )
        self._executor = group.name(
            "executor",
            "local",
            f"Where to train, one of {', '.join(executors.NAMES)}: processes on this "
            "machine, or a Ray cluster.",
            known=executors.NAMES,
        )
        self.backend = group.name(
            "backend",
            None,
            f"Backend of Keras that trains, {' or '.join(environment.BACKENDS)}; by "
            "default Keras's own choice.",
            known=tuple(environment.BACKENDS),
        )
        self._whole_epochs = group.switch(
            "whole_epochs",
            None,
            "Compile each epoch into one program, with --backend jax; by default on "
            "accelerators, where it is faster.",
        )
        self._lanes = group.integer(
            "lanes",
            None,
            "How many learning rates of a model train together, with --whole_epochs; "
            "by default all of them on accelerators, where it is faster, and 1 "
            "elsewhere.",
        )
        self._deterministic = group.switch(
            "deterministic",
            False,
            "Make the backend deterministic: equal figures on every run with the same "
            "number of threads on the same kind of processor.",
        )
        self._retries = group.integer(
            "retries", 2, "How often a failed cell is tried again."
        )
        self._results_by = group.name(
            "results_by",
            "driver",
            "Which processes write results: driver, or workers, which then need access "
            "to the results folder.",
            known=("driver", "workers"),
        )
        ray = Group(RAY, values)
        self._address = ray.text(
            "address",
            None,
            "The Ray cluster: auto, host:port or ray://host:port; by default a new one "
            "on this machine.",
            metavar="ADDRESS",
        )
        self._num_cpus = ray.integer("num_cpus", 1, "CPUs per cell.")
        self._num_gpus = ray.number(
            "num_gpus", 0, "GPUs per cell; at 0.5, two cells share one."
        )

    @property
    def jobs_given(self) -> bool:
        return self._jobs.value is not None

    def execution(self) -> Execution:
        """Where and how to train; one job if `--jobs` is not given.

        Raises:
            UsageError: If the backend can't train so.
        """
        environment.check_backend(self.backend.value)
        if self._whole_epochs.value:
            environment.require_jax(self.backend.value or environment.backend())
        return Execution(
            executor=self._executor.value,
            jobs=1 if self._jobs.value is None else self._jobs.value,
            threads=self._threads.value,
            address=self._address.value,
            num_cpus=self._num_cpus.value,
            num_gpus=self._num_gpus.value,
            retries=self._retries.value,
            deterministic=self._deterministic.value,
            results_by=self._results_by.value,
            whole_epochs=self._whole_epochs.value,
            lanes=self._lanes.value,
        )
