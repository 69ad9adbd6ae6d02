"""What the commands that train share: flags, and the way from plans to results."""

import dataclasses
import os
import pathlib
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from absl import flags

from keras_asymbp.benchmarks import datasets, environment
from keras_asymbp.benchmarks.errors import UsageError, unknown
from keras_asymbp.benchmarks.run import executors
from keras_asymbp.benchmarks.run.executors import Execution
from keras_asymbp.benchmarks.tables.protocol import (
    AUGMENTATIONS,
    PRESETS,
    Protocol,
)

if TYPE_CHECKING:
    import rich.console

    from keras_asymbp.benchmarks.datasets import Dataset
    from keras_asymbp.benchmarks.results.store import Store
    from keras_asymbp.benchmarks.tables.cells import Cell
    from keras_asymbp.benchmarks.tables.plan import Plan


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        results: The store.
        failures: The cells that failed, and why.
        summary: How many trials were run and how many were there.
    """

    results: "Store"
    failures: "dict[Cell, str]"
    summary: str

    def exit_code(self) -> int:
        """Tells of what failed; returns 1 if something did, else 0."""
        for cell, reason in self.failures.items():
            print(
                f"failed: {cell.place}, {cell.column.name}, seed {cell.seed}: {reason}",
                file=sys.stderr,
            )
        if self.failures:
            print("the same command tries what failed again", file=sys.stderr)
        return 1 if self.failures else 0


class Training:
    """The flags of a command that trains, and what they ask for.

    Args:
        results_dir: The default of `--results_dir`.
    """

    def __init__(self, results_dir: str = "results"):
        self._datasets = flags.DEFINE_list(
            "datasets",
            ["mnist_5k"],
            "Data sets, separated by commas; --list names them. An .npz file, a folder "
            "of class folders or a data set of TFDS in --data_dir is one, too.",
        )
        self._preset = flags.DEFINE_string(
            "preset",
            "quick",
            f"How long to train, one of {', '.join(PRESETS)}: see that it runs; the "
            "shape of the paper's 65 epochs in 6; the paper's.",
        )
        self._epochs = flags.DEFINE_integer(
            "epochs", None, "Epochs, instead of the preset's."
        )
        self._learning_rates = flags.DEFINE_list(
            "learning_rates",
            None,
            "Learning rates to search, instead of the usual ones.",
        )
        self._train_examples = flags.DEFINE_integer(
            "train_examples",
            None,
            "Use so many training examples, of each class as many.",
        )
        self._test_examples = flags.DEFINE_integer(
            "test_examples", None, "Use so many test examples, of each class as many."
        )
        self._validation_share = flags.DEFINE_float(
            "validation_share",
            None,
            "Share of the training examples, such as 0.1, to hold out and to choose "
            "the rate and the epoch by; 0 is the paper's way, by the test examples. By "
            "default the experiment's own.",
        )
        self._augmentation = flags.DEFINE_string(
            "augmentation",
            None,
            f"How training images are changed, one of {', '.join(AUGMENTATIONS)}: "
            "moved by up to 4 pixels, colour images mirrored at random. By default "
            "they aren't.",
        )
        self._seeds = flags.DEFINE_list("seeds", ["0"], "Seeds, separated by commas.")
        self._data_dir = flags.DEFINE_string(
            "data_dir",
            None,
            "Folder of data sets prepared by TensorFlow Datasets, instead of its own "
            "default.",
        )
        self._results_dir = flags.DEFINE_string(
            "results_dir", results_dir, "Folder that keeps finished trials and reports."
        )
        self._executor = flags.DEFINE_string(
            "executor",
            "local",
            f"Where to train, one of {', '.join(executors.NAMES)}: processes on this "
            "machine, or a Ray cluster.",
        )
        self._jobs = flags.DEFINE_integer(
            "jobs",
            None,
            "How many processes train, with --executor local; by default one a GPU, or "
            "one a core, as far as there is work and 2 GB of memory for each. With 1 "
            "it is the command's own process.",
        )
        self._threads = flags.DEFINE_integer(
            "threads",
            None,
            "Threads of each process that trains, instead of its share of the cores.",
        )
        self._address = flags.DEFINE_string(
            "address",
            None,
            "The Ray cluster: auto, host:port or ray://host:port; by default one is "
            "started on this machine.",
        )
        self._num_cpus = flags.DEFINE_integer(
            "num_cpus", 1, "CPUs of a cell, with --executor ray."
        )
        self._num_gpus = flags.DEFINE_float(
            "num_gpus",
            0,
            "GPUs of a cell, with --executor ray; 0.5 lets two share one.",
        )
        self._retries = flags.DEFINE_integer(
            "retries", 2, "How often a cell is tried again that has failed."
        )
        self._results_by = flags.DEFINE_string(
            "results_by",
            "driver",
            "Who writes results: driver, or workers, which need the results folder, "
            "too.",
        )
        self._deterministic = flags.DEFINE_bool(
            "deterministic",
            False,
            "Tell TensorFlow to give the same numbers each time, for the same number "
            "of threads on the same kind of processor.",
        )
        self._dry_run = flags.DEFINE_bool(
            "dry_run",
            False,
            "Print how many cells and trials there are to run and about how long they "
            "take, then end. The data sets need not be there.",
        )

    @property
    def preset(self) -> str:
        return self._preset.value

    @property
    def data_dir(self) -> str | None:
        return self._data_dir.value

    @property
    def results_dir(self) -> str:
        return self._results_dir.value

    @property
    def datasets(self) -> list[str]:
        return self._datasets.value

    @property
    def datasets_said(self) -> bool:
        """Whether the data sets are the user's choice, not the default."""
        return self._datasets.present

    @property
    def learning_rates_said(self) -> bool:
        """Whether the rates are the user's choice, not the preset's."""
        return self._learning_rates.value is not None

    @property
    def dry(self) -> bool:
        """Whether nothing is to be trained."""
        return self._dry_run.value

    def seeds(self) -> tuple[int, ...]:
        seeds = distinct(integer("seed", text) for text in self._seeds.value)
        if not seeds:
            raise UsageError("--seeds is empty: give one seed or more, such as 0")
        return seeds

    def rows(self) -> "tuple[tuple[Dataset, str], ...]":
        """The data sets and the version of each that is there."""
        rows = datasets.find(self.datasets, self.data_dir, self.dry)
        if not rows:
            raise UsageError("--datasets is empty: give one or more, such as mnist_5k")
        return rows

    @property
    def validation_said(self) -> bool:
        """Whether the share that is held out is the user's choice."""
        return self._validation_share.value is not None

    def protocol(self) -> Protocol:
        if self.preset not in PRESETS:
            raise unknown("preset", self.preset, PRESETS)
        protocol = PRESETS[self.preset]
        if self.learning_rates_said:
            rates = distinct(map(_rate, self._learning_rates.value or ()))
            if not rates:
                raise UsageError("--learning_rates is empty: give one or more")
            protocol = dataclasses.replace(protocol, learning_rates=rates)
        counts: dict[str, Any] = {
            flag.name: at_least_one(flag)
            for flag in (self._epochs, self._train_examples, self._test_examples)
            if flag.value is not None
        }
        if (share := self._validation_share.value) is not None:
            if not 0 <= share < 1:
                raise UsageError(
                    f"--validation_share must be 0 or more and less than 1, not {share}"
                )
            counts["validation_share"] = share
        if (augmentation := self._augmentation.value) is not None:
            if augmentation not in AUGMENTATIONS:
                raise unknown("augmentation", augmentation, AUGMENTATIONS)
            counts["augmentation"] = augmentation
        return dataclasses.replace(protocol, **counts)

    def execution(self) -> Execution:
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
        )

    def describe(self, plans: "Sequence[Plan]", execution: Execution) -> str:
        """What there is to do, and about how long it takes: `--dry_run`."""
        from keras_asymbp.benchmarks.results import store
        from keras_asymbp.benchmarks.run import planning

        folder = pathlib.Path(self.results_dir)
        there = (folder / "trials").is_dir()
        results = store.Store(folder, make=False) if there else None
        jobs = self._for_this_machine(execution, plans, results).jobs
        return planning.describe(planning.workloads(plans, results), jobs)

    def run(
        self,
        plans: "Sequence[Plan]",
        execution: Execution,
        console: "rich.console.Console",
        command: str,
        tensorboard_dir: str | None = None,
    ) -> Outcome:
        """Runs what isn't in the results folder yet.

        Args:
            plans: What to run; see `runner.run`.
            execution: Where and how.
            console: Where to show it.
            command: The command line, kept with each result.
            tensorboard_dir: See `runner.run`.
        """
        from keras_asymbp.benchmarks.results import store
        from keras_asymbp.benchmarks.run import progress, runner

        results = store.Store(self.results_dir)
        execution = self._for_this_machine(execution, plans, results)
        if execution.in_process and execution.threads:
            # TensorFlow, which reads them, isn't imported yet.
            os.environ |= environment.threads(execution.threads, execution.threads)
        self._prepare(plans, console)
        for problem in results.problems:
            print(f"warning: {problem}", file=sys.stderr)
        with progress.Display(console) as display:
            failures = runner.run(
                *(plans, results, display, self.data_dir, command, execution),
                tensorboard_dir=tensorboard_dir,
            )
        return Outcome(results, failures, display.summary())

    def _for_this_machine(self, execution, plans, results) -> Execution:
        """With so many jobs as are best for the work, if the user said nothing."""
        from keras_asymbp.benchmarks.run import planning

        if self._jobs.value is not None or execution.executor != "local":
            return execution
        jobs = environment.jobs(planning.unfinished(plans, results))
        return dataclasses.replace(execution, jobs=jobs)

    def _prepare(self, plans, console):
        """Fits data to the networks where that isn't done yet, with a bar."""
        from keras_asymbp.benchmarks.datasets import prepared
        from keras_asymbp.benchmarks.run import progress

        fits = dict.fromkeys(
            plan.setup.protocol.fit(plan.setup.dataset, self.data_dir) for plan in plans
        )
        for fit in fits:
            prepared.load(fit, progress.bar(console))


def at_least_one(flag: flags.FlagHolder) -> int:
    if flag.value < 1:
        raise UsageError(f"--{flag.name} must be 1 or more, not {flag.value}")
    return flag.value


def distinct(values: Iterable[Any]) -> tuple[Any, ...]:
    """The values as a tuple, each once, in their order."""
    return tuple(dict.fromkeys(values))


def integer(kind: str, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number < 2**31:
        raise UsageError(f"{kind} '{text}' must be an integer of 0 or more, below 2^31")
    return number


def _rate(text):
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 < rate < float("inf"):
        raise UsageError(f"learning rate '{text}' must be a number above 0")
    return rate
