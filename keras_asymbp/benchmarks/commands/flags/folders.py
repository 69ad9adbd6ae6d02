"""The folders of data sets and of results, and the contents of the latter."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.commands.flags.groups import ESSENTIALS, Group
from keras_asymbp.benchmarks.commands.flags.parsers import FOLDER, PATH
from keras_asymbp.benchmarks.commands.flags.values import learning_rates
from keras_asymbp.benchmarks.escaping.printable import one_line

if TYPE_CHECKING:
    from keras_asymbp.benchmarks.results.inventory import Inventory


_OWN = (
    "Your own data sets among the results, separated by commas, named as in the run; "
    "those of the package need not be named."
)


class FolderFlags:
    """The folders of a command, as attributes.

    Args:
        values: Where the flags are defined; by default where absl parses them.
        results_dir: The default of `--results_dir`.
    """

    def __init__(
        self, values: flags.FlagValues = flags.FLAGS, results_dir: str = "results"
    ):
        self.results_dir = Group(ESSENTIALS, values).text(
            "results_dir",
            results_dir,
            "Folder of the finished trials and the reports.",
            FOLDER,
        )
        self.data_dir = define_data_dir(values)


class ResultsFlags(FolderFlags):
    """The flags of a command that shows the results of a folder.

    Args:
        values: Where the flags are defined; by default where absl parses them.
        datasets_help: The description of `--datasets`.
    """

    def __init__(
        self, values: flags.FlagValues = flags.FLAGS, datasets_help: str = _OWN
    ):
        super().__init__(values)
        group = Group(ESSENTIALS, values)
        self.datasets = group.list(
            "datasets",
            None,
            datasets_help,
            known=tuple(datasets.DATASETS),
            others=PATH,
        )
        self.learning_rates = group.list(
            "learning_rates",
            None,
            "Learning rates of the run, if they were not those of its preset.",
            metavar="RATE",
        )

    def inventory(self) -> "Inventory":
        """The contents of the folder; see `take_inventory`."""
        return take_inventory(
            *(self.results_dir.value, self.datasets.value or ()),
            *(self.data_dir.value, self.learning_rates.value),
        )


def define_data_dir(values: flags.FlagValues = flags.FLAGS) -> flags.FlagHolder:
    return Group(ESSENTIALS, values).text(
        "data_dir",
        None,
        "Folder of the data sets prepared by TensorFlow Datasets; by default its own.",
        FOLDER,
    )


def take_inventory(
    results_dir: str,
    names: Sequence[str] = (),
    data_dir: str | None = None,
    rates: Sequence[str] | None = None,
) -> "Inventory":
    """Takes the inventory of a results folder; it has the store, too.

    Args:
        results_dir: As `--results_dir`.
        names: As `--datasets`.
        data_dir: As `--data_dir`.
        rates: As `--learning_rates`.

    Raises:
        UsageError: If the folder has no results, a data set is unknown, or a rate is no
            number above 0.
    """
    own = {d.name: d for d in (datasets.get(name, data_dir) for name in names)}
    searched = None if rates is None else learning_rates(rates)
    from keras_asymbp.benchmarks.results import garbage, inventory, store

    with garbage.unsearched():
        return inventory.take(store.Store(results_dir, make=False), own, searched)


def warn(problems: Sequence[str]) -> None:
    for problem in problems:
        print(one_line(f"warning: {problem}"), file=sys.stderr)
