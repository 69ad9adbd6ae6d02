import csv
import pathlib

import pytest

from keras_asymbp.benchmarks import paper

TABLES = sorted(pathlib.Path(paper.__file__).with_name("paper").glob("*.csv"))


@pytest.mark.parametrize(
    ("row", "column", "error"),
    [
        ("MNIST", "SGD", 0.67),
        ("CIFAR", "uSF", 90.0),  # Table 2
        ("TIMIT80", "frSF-75+BN+BM", 33.48),  # Table 3
        ("STL10", "RndF+BM", 80.39),  # Table 4, left
        ("MNIST", "RndF+BN+BM Bottom", 86.74),  # Table 4, right
        ("Flowers102", "uSF+BN+BM Top", 84.57),
        ("Cal101", "uSF+BN+BM3", 62.59),  # Table 5
    ],
)
def test_figures(row, column, error):
    assert paper.error(row, column) == error


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("SUFR-W-ID", "RndF+BN+BM Bottom"),  # unreadable in our copy
        ("LFW-ID", "SGD Top"),
        ("Scene67", "SGD Top"),  # not in the table
        ("MNIST", "no such model"),
        ("mnist", "SGD"),
    ],
)
def test_unknown_is_none(row, column):
    assert paper.error(row, column) is None


def test_tables_agree_on_what_they_share():
    figures = {}
    for table in TABLES:
        with table.open(newline="", encoding="utf-8") as file:
            for record in csv.DictReader(file):
                row = record.pop("dataset")
                for column, figure in record.items():
                    assert None not in (column, figure), (
                        f"{table.name}: {row} is ragged"
                    )
                    if figure:
                        figures.setdefault((row, column), set()).add(float(figure))
    assert len(TABLES) == 5
    assert [key for key, values in figures.items() if len(values) > 1] == []
    assert all(0 < figure < 100 for values in figures.values() for figure in values)
