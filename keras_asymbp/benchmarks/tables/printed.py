"""The printed figures of the paper and of its peers, for comparison."""

import csv
import functools
import pathlib

# Number of classes of each data set, by the paper's name for it (section 5).
CLASSES = {
    "MNIST": 10,
    "CIFAR": 10,
    "CIFAR100": 100,
    "SVHN": 10,
    "STL10": 10,
    "Cal101": 102,
    "Cal256-101": 102,
    "iCub": 10,
    "Flowers17": 17,
    "Flowers102": 102,
    "PubFig83-ID": 80,
    "SUFR-W-ID": 80,
    "LFW-ID": 80,
    "Scene67": 67,
    "TIMIT80": 80,
}

# The error in percent of naming the largest class of the test split, where its classes
# are not of one size.
_LARGEST_CLASS = {
    "MNIST": 88.65,  # 1,135 of 10,000
    "SVHN": 80.41,  # 5,099 of 26,032
    "Cal101": 98.95,  # 10 of 949
    "iCub": 89.96,  # 201 of 2,001
    "Flowers102": 96.13,  # 238 of 6,149
}

# The paper's tables, and `Benchmarks.md` of BioTorch 0.0.16 (trained by SGD); rows of
# the latter also name the network.
_FOLDER = pathlib.Path(__file__).with_name("printed")


def error(row: str, column: str) -> float | None:
    """The printed error in percent; None if it is missing or unreadable.

    Args:
        row: The paper's name of a data set; for a peer, followed by the network.
        column: The paper's name of a model. Tables that share a model agree.

    >>> error("MNIST", "SGD"), error("SUFR-W-ID", "RndF+BN+BM Bottom")
    (0.67, None)
    """
    return figures().get((row, column))


def guessing(row: str) -> float:
    """The error of guessing in percent: of naming the largest class of the test split.

    Args:
        row: The paper's name of a data set.

    >>> guessing("MNIST"), guessing("CIFAR")
    (88.65, 90.0)
    """
    return _LARGEST_CLASS.get(row, 100 - 100 / CLASSES[row])


def has(row: str) -> bool:
    """Whether figures are printed for a row.

    >>> has("MNIST"), has("MNIST lenet-mnist"), has("MNIST timit")
    (True, True, False)
    """
    return any(row == known for known, _ in figures())


@functools.cache
def figures() -> dict[tuple[str, str], float]:
    """All printed errors in percent, by row and column."""
    errors = {}
    for path in sorted(_FOLDER.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for record in csv.DictReader(file):
                row = record.pop("dataset")
                for column, figure in record.items():
                    if figure:
                        errors[row, column] = float(figure)
    return errors
