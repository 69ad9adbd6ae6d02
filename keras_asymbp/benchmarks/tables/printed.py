"""The figures that the paper prints, and its peers, for comparison."""

import csv
import functools
import pathlib

# The data sets, as the paper names them, with their numbers of classes (section 5).
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

# The paper's tables, and `Benchmarks.md` of BioTorch 0.0.16, whose rows also name the
# network (trained by SGD).
_FOLDER = pathlib.Path(__file__).with_name("printed")


def error(row: str, column: str) -> float | None:
    """The printed error in percent, or None where there is none or it is unreadable.

    Args:
        row: A data set, as the paper names it; and the network, for a peer's.
        column: A model, as the paper names it. Tables that share a model agree on it.

    >>> error("MNIST", "SGD"), error("SUFR-W-ID", "RndF+BN+BM Bottom")
    (0.67, None)
    """
    return _figures().get((row, column))


def has(row: str) -> bool:
    """Whether there are figures of a row.

    >>> has("MNIST"), has("MNIST lenet-mnist"), has("MNIST timit")
    (True, True, False)
    """
    return any(row == known for known, _ in _figures())


@functools.cache
def _figures() -> dict[tuple[str, str], float]:
    figures = {}
    for path in sorted(_FOLDER.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for record in csv.DictReader(file):
                row = record.pop("dataset")
                for column, figure in record.items():
                    if figure:
                        figures[row, column] = float(figure)
    return figures
