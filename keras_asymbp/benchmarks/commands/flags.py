"""Flags that several commands share, and the settings that they stand for.

A command defines its flags when its `main` runs, not when its module is imported: two
commands may have different flags of one name.
"""

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from absl import flags

from keras_asymbp.benchmarks import datasets, environment
from keras_asymbp.benchmarks.errors import UsageError, unknown
from keras_asymbp.benchmarks.run import executors
from keras_asymbp.benchmarks.run.executors import Execution
from keras_asymbp.benchmarks.tables import readings
from keras_asymbp.benchmarks.tables.protocol import (
    AUGMENTATIONS,
    PRESETS,
    Protocol,
)

# The largest integer of a flag, of 32 bits.
_MOST = 2**31 - 1

if TYPE_CHECKING:
    from keras_asymbp.benchmarks.datasets import Dataset
    from keras_asymbp.benchmarks.tables.experiments import Column


def define_data_dir(
    values: flags.FlagValues = flags.FLAGS,
) -> flags.FlagHolder[str | None]:
    return flags.DEFINE_string(
        "data_dir",
        None,
        "Folder of the data sets prepared by TensorFlow Datasets; by default its own.",
        flag_values=values,
    )


def define_results_dir(
    default: str = "results", values: flags.FlagValues = flags.FLAGS
) -> flags.FlagHolder[str]:
    return flags.DEFINE_string(
        "results_dir",
        default,
        "Folder of the finished trials and the reports.",
        flag_values=values,
    )


def define_own_datasets() -> flags.FlagHolder[list[str]]:
    return flags.DEFINE_list(
        "datasets",
        [],
        "Your own data sets among the results, separated by commas, named as in the "
        "run; those of the package need not be named.",
    )


def define_searched_rates() -> flags.FlagHolder[list[str] | None]:
    return flags.DEFINE_list(
        "learning_rates",
        None,
        "Learning rates of the run, if they were not those of its preset.",
    )


def define_integer(
    name: str, default: int | None, text: str, values: flags.FlagValues
) -> flags.FlagHolder:
    """An integer that every library can take; its least value is checked later."""
    return flags.DEFINE_integer(
        name, default, text, upper_bound=_MOST, flag_values=values
    )


class TrainingFlags:
    """The flags of a command that trains, and the settings that they stand for.

    A flag whose value needs no check is an attribute.

    Args:
        results_dir: The default of `--results_dir`.
        values: Where the flags are defined; by default where absl parses them.
        alignment_batches: The default of `--alignment_batches`.
    """

    def __init__(
        self,
        results_dir: str = "results",
        values: flags.FlagValues = flags.FLAGS,
        alignment_batches: int | None = None,
    ):
        self.datasets = flags.DEFINE_list(
            "datasets",
            ["mnist_5k"],
            "Data sets, separated by commas: names shown by --list, .npz files, "
            "folders of class folders, or data sets of TFDS prepared in --data_dir.",
            flag_values=values,
        )
        self.preset = flags.DEFINE_string(
            "preset",
            "quick",
            f"Length of training, one of {', '.join(PRESETS)}: a check that it runs; "
            "the paper's schedule of 65 epochs, shortened to 6; the paper's.",
            flag_values=values,
        )
        self._epochs = define_integer(
            "epochs",
            None,
            "Number of epochs, instead of the preset's.",
            values,
        )
        self._learning_rates = flags.DEFINE_list(
            "learning_rates",
            None,
            "Learning rates to search, separated by commas, instead of the preset's.",
            flag_values=values,
        )
        self._train_examples = define_integer(
            "train_examples",
            None,
            "Number of training examples, balanced across classes.",
            values,
        )
        self._test_examples = define_integer(
            "test_examples",
            None,
            "Number of test examples, balanced across classes.",
            values,
        )
        self._validation_share = flags.DEFINE_float(
            "validation_share",
            None,
            "Share of the training examples, such as 0.1, held out to choose the rate "
            "and the epoch; with 0 they are chosen on the test examples, as in the "
            "paper. By default the experiment's own.",
            flag_values=values,
        )
        self._augmentation = flags.DEFINE_string(
            "augmentation",
            None,
            f"Augmentation of the training images, one of {', '.join(AUGMENTATIONS)}: "
            "random shifts of up to 4 pixels, and random mirroring of colour images. "
            "By default none.",
            flag_values=values,
        )
        self._alignment_batches = define_integer(
            "alignment_batches",
            alignment_batches,
            "Number of training batches on which each trial's gradients are compared "
            "with backpropagation's after the last epoch.",
            values,
        )
        self._reading = flags.DEFINE_string(
            "reading",
            None,
            "How what the paper leaves open is read: inputs, first weights, loss, "
            "decay of biases, as in pixels-normal-sum-decay; by default the preset's.",
            flag_values=values,
        )
        self._seeds = flags.DEFINE_list(
            "seeds", ["0"], "Seeds, separated by commas.", flag_values=values
        )
        self.data_dir = define_data_dir(values)
        self.results_dir = define_results_dir(results_dir, values)
        self.backend = flags.DEFINE_string(
            "backend",
            None,
            f"Backend of Keras that trains, {' or '.join(environment.BACKENDS)}; by "
            "default Keras's own choice.",
            flag_values=values,
        )
        self._executor = flags.DEFINE_string(
            "executor",
            "local",
            f"Where to train, one of {', '.join(executors.NAMES)}: processes on this "
            "machine, or a Ray cluster.",
            flag_values=values,
        )
        self._jobs = define_integer(
            "jobs",
            None,
            "Number of processes that train, with --executor local; with 1, the "
            "command's own process trains. By default one per GPU, or one per core, "
            "limited by the work and by 2 GB of memory for each.",
            values,
        )
        self._threads = define_integer(
            "threads",
            None,
            "Threads of each process that trains, instead of its share of the cores.",
            values,
        )
        self._address = flags.DEFINE_string(
            "address",
            None,
            "The Ray cluster: auto, host:port or ray://host:port; by default a new one "
            "on this machine.",
            flag_values=values,
        )
        self._num_cpus = define_integer(
            "num_cpus",
            1,
            "CPUs per cell, with --executor ray.",
            values,
        )
        self._num_gpus = flags.DEFINE_float(
            "num_gpus",
            0,
            "GPUs per cell, with --executor ray; at 0.5, two cells share one.",
            flag_values=values,
        )
        self._retries = define_integer(
            "retries",
            2,
            "How often a failed cell is tried again.",
            values,
        )
        self._results_by = flags.DEFINE_string(
            "results_by",
            "driver",
            "Which processes write results: driver, or workers, which then need access "
            "to the results folder.",
            flag_values=values,
        )
        self._deterministic = flags.DEFINE_bool(
            "deterministic",
            False,
            "Make the backend deterministic: equal figures on every run with the same "
            "number of threads on the same kind of processor.",
            flag_values=values,
        )
        self._whole_epochs = flags.DEFINE_bool(
            "whole_epochs",
            None,
            "Compile each epoch into one program, with --backend jax; by default on "
            "accelerators, where it is faster.",
            flag_values=values,
        )
        self._lanes = define_integer(
            "lanes",
            None,
            "How many learning rates of a model train together, with --whole_epochs; "
            "by default all of them on accelerators, where it is faster, and 1 "
            "elsewhere.",
            values,
        )
        self.dry_run = flags.DEFINE_bool(
            "dry_run",
            False,
            "Print the number of cells and trials to run and a rough estimate of the "
            "time, then end. The data sets may be missing.",
            flag_values=values,
        )

    @property
    def datasets_given(self) -> bool:
        return self.datasets.present

    @property
    def learning_rates_given(self) -> bool:
        return self._learning_rates.value is not None

    @property
    def validation_share_given(self) -> bool:
        return self._validation_share.value is not None

    @property
    def jobs_given(self) -> bool:
        return self._jobs.value is not None

    def seeds(self) -> tuple[int, ...]:
        seeds = distinct(integer("seed", text) for text in self._seeds.value)
        if not seeds:
            raise UsageError("--seeds is empty: give one seed or more, such as 0")
        return seeds

    def rows(self) -> "tuple[tuple[Dataset, str], ...]":
        """The rows of a table: the data sets, each with its stored version."""
        rows = datasets.find(
            self.datasets.value, self.data_dir.value, missing_ok=self.dry_run.value
        )
        if not rows:
            raise UsageError("--datasets is empty: give one or more, such as mnist_5k")
        return rows

    def columns(self, columns: "tuple[Column, ...]") -> "tuple[Column, ...]":
        """The columns, without rates of their own if `--learning_rates` is given."""
        if not self.learning_rates_given:
            return columns
        return tuple(dataclasses.replace(c, learning_rates=None) for c in columns)

    def protocol(self) -> Protocol:
        """The preset's protocol, changed by the flags that are given."""
        if self.preset.value not in PRESETS:
            raise unknown("preset", self.preset.value, PRESETS)
        changes: dict[str, Any] = {}
        if self.learning_rates_given:
            rates = learning_rates(self._learning_rates.value or ())
            changes["learning_rates"] = rates
        for flag in (
            self._epochs,
            self._train_examples,
            self._test_examples,
            self._alignment_batches,
        ):
            if flag.value is not None:
                changes[flag.name] = at_least_one(flag)
        if (share := self._validation_share.value) is not None:
            if not 0 <= share < 1:
                raise UsageError(
                    f"--validation_share must be 0 or more and less than 1, not {share}"
                )
            changes["validation_share"] = share
        if (augmentation := self._augmentation.value) is not None:
            if augmentation not in AUGMENTATIONS:
                raise unknown("augmentation", augmentation, AUGMENTATIONS)
            changes["augmentation"] = augmentation
        protocol = dataclasses.replace(PRESETS[self.preset.value], **changes)
        if (reading := self._reading.value) is not None:
            return readings.get(reading).applied(protocol)
        return protocol

    def execution(self) -> Execution:
        """Where and how to train; one job if `--jobs` is not given."""
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
    if not 0 <= number <= _MOST:
        raise UsageError(f"{kind} '{text}' must be an integer of 0 or more, below 2^31")
    return number


def learning_rates(texts: Iterable[str]) -> tuple[float, ...]:
    """The values of --learning_rates as numbers, each once."""
    rates = distinct(map(_rate, texts))
    if not rates:
        raise UsageError("--learning_rates is empty: give one or more")
    return rates


def _rate(text):
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 < rate < float("inf"):
        raise UsageError(f"learning rate '{text}' must be a number above 0")
    return rate
