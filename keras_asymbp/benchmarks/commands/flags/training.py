"""The flags of a command that trains."""

from typing import TYPE_CHECKING

from absl import flags

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.commands.flags.execution import ExecutionFlags
from keras_asymbp.benchmarks.commands.flags.folders import FolderFlags
from keras_asymbp.benchmarks.commands.flags.groups import ESSENTIALS, Group
from keras_asymbp.benchmarks.commands.flags.parsers import PATH
from keras_asymbp.benchmarks.commands.flags.protocol import ProtocolFlags
from keras_asymbp.benchmarks.commands.flags.values import distinct, integer
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.tables.plan import Setup

if TYPE_CHECKING:
    from keras_asymbp.benchmarks.datasets import Dataset


class TrainingFlags(FolderFlags, ProtocolFlags, ExecutionFlags):
    """The flags of a command that trains, and the settings that they stand for.

    A flag whose value needs no check is an attribute.

    Args:
        results_dir: The default of `--results_dir`.
        values: Where the flags are defined; by default where absl parses them.
        alignment_batches: The default of `--alignment_batches`.
        reading: Whether `--reading` chooses a reading.
    """

    def __init__(
        self,
        results_dir: str = "results",
        values: flags.FlagValues = flags.FLAGS,
        alignment_batches: int | None = None,
        reading: bool = True,
    ):
        group = Group(ESSENTIALS, values)
        self.datasets = group.list(
            "datasets",
            ["mnist_5k"],
            "Data sets, separated by commas: names shown by keras-asymbp run --list, "
            ".npz files, folders of class folders, or data sets of TFDS prepared in "
            "--data_dir.",
            known=tuple(datasets.DATASETS),
            others=PATH,
        )
        ProtocolFlags.__init__(self, values, alignment_batches, reading)
        self._seeds = group.list(
            "seeds", ["0"], "Seeds, separated by commas.", metavar="N"
        )
        FolderFlags.__init__(self, values, results_dir)
        self.dry_run = group.switch(
            "dry_run",
            False,
            "Print the number of cells and trials to run and a rough estimate of the "
            "time, then end. The data sets may be missing.",
        )
        self.train = group.switch(
            "train",
            True,
            "Train the trials that are missing; --notrain only writes the reports, "
            "from what is stored.",
        )
        ExecutionFlags.__init__(self, values)

    @property
    def datasets_given(self) -> bool:
        return self.datasets.present

    def seeds(self) -> tuple[int, ...]:
        return distinct(integer("seed", text) for text in self._seeds.value)

    def rows(self) -> "tuple[tuple[Dataset, str], ...]":
        """The rows of a table: the data sets, each with its stored version."""
        return datasets.find(
            self.datasets.value, self.data_dir.value, missing_ok=self.dry_run.value
        )

    def setup(self, study: str) -> Setup:
        """The setup of a study that takes one data set.

        Args:
            study: The study, for the error.

        Raises:
            UsageError: If a preset, seed or data set is unknown, or if several data
                sets are given.
        """
        protocol, seeds = self.protocol(), self.seeds()
        rows = self.rows()
        if len(rows) > 1:
            raise UsageError(
                f"--datasets names {len(rows)} data sets: {study} takes one"
            )
        return Setup(*rows[0], protocol, self.preset.value, seeds)
