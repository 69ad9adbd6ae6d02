import csv
import pathlib

import pytest

from keras_asymbp.benchmarks.tables import printed

TABLES = sorted(pathlib.Path(printed.__file__).with_suffix("").glob("table*.csv"))


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
    assert printed.error(row, column) == error


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
    assert printed.error(row, column) is None


def test_tables_agree_on_shared_figures():
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


TEST_EXAMPLES = {
    "MNIST": 10_000,
    "CIFAR": 10_000,
    "CIFAR100": 10_000,
    "SVHN": 26_032,
    "STL10": 8_000,
    "Cal101": 949,
    "Cal256-101": 1_020,
    "iCub": 2_001,
    "Flowers17": 340,
    "Flowers102": 6_149,
    "PubFig83-ID": 1_200,
    "SUFR-W-ID": 400,
    "LFW-ID": 400,
    "Scene67": 1_340,
    "TIMIT80": 2_500,  # section 5 says 8,000
}


@pytest.mark.parametrize("row", TEST_EXAMPLES)
def test_figures_are_shares_of_the_test_examples(row):
    """The documentation infers the sizes of the paper's test sets from its errors."""
    count = TEST_EXAMPLES[row]
    errors = [error for (name, _), error in printed.figures().items() if name == row]
    assert len(errors) >= 19
    for error in errors:
        assert 100 * round(error * count / 100) / count == pytest.approx(
            error, abs=0.00501
        )
