import csv
import dataclasses
import pathlib

import pytest

from keras_asymbp import feedbacks
from keras_asymbp.benchmarks import experiments, paper
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.experiments import EXPERIMENTS, Column

every_experiment = pytest.mark.parametrize("experiment", EXPERIMENTS.values())


def test_c2_is_table_4_right():
    columns = [
        (c.name, c.feedback, c.normalization, c.setting, c.clamped)
        for c in experiments.get("C2").columns
    ]
    assert columns == [
        ("SGD", "BP", None, 0, None),
        ("SGD Bottom", "BP", None, 0, "Bottom"),
        ("SGD Top", "BP", None, 0, "Top"),
        ("RndF", "RndF", None, 0, None),
        ("RndF Bottom", "RndF", None, 0, "Bottom"),
        ("RndF Top", "RndF", None, 0, "Top"),
        ("RndF+BN+BM", "RndF", "BN", 1, None),
        ("RndF+BN+BM Bottom", "RndF", "BN", 1, "Bottom"),
        ("RndF+BN+BM Top", "RndF", "BN", 1, "Top"),
        ("uSF+BN+BM", "uSF", "BN", 1, None),
        ("uSF+BN+BM Bottom", "uSF", "BN", 1, "Bottom"),
        ("uSF+BN+BM Top", "uSF", "BN", 1, "Top"),
    ]


def test_c2_has_every_column_that_the_paper_prints():
    table = pathlib.Path(paper.__file__).parent / "paper" / "table4_experiment_c2.csv"
    with table.open(newline="", encoding="utf-8") as file:
        printed = set(next(csv.reader(file))[1:])
    names = [column.name for column in experiments.get("C2").columns]
    assert printed <= set(names)
    # The plain columns are there too, and every one has the paper's figure for MNIST.
    assert None not in [paper.error("MNIST", name) for name in names]


@every_experiment
def test_columns_differ_in_name_and_settings(experiment):
    names = [column.name for column in experiment.columns]
    settings = [dataclasses.replace(column, name="") for column in experiment.columns]
    assert len(set(names)) == len(set(settings)) == len(experiment.columns)


@every_experiment
def test_columns_are_of_what_there_is(experiment):
    for column in experiment.columns:
        assert feedbacks.get(column.feedback)
        assert column.normalization in (None, "BN", "BN learnable")
        assert column.setting in (0, 1, 2, 3)
        assert column.clamped in (None, "Bottom", "Top")
        for schedule in column.batch_schedules:
            starts = [epoch for epoch, _ in schedule]
            assert starts[0] == 0
            assert starts == sorted(set(starts))


@every_experiment
def test_baseline_is_a_column(experiment):
    assert experiment.baseline in [column.name for column in experiment.columns]


@pytest.mark.parametrize("none", [None, []])
def test_select_without_names_is_all(none):
    experiment = experiments.get("C2")
    assert experiment.select(none) == experiment.columns


def test_select_keeps_the_tables_order():
    columns = experiments.get("C2").select(["uSF+BN+BM Top", "SGD", "SGD"])
    assert [column.name for column in columns] == ["SGD", "uSF+BN+BM Top"]


@pytest.mark.parametrize("name", ["sgd", "SGD ", "uSF", ""])
def test_unknown_model(name):
    with pytest.raises(
        UsageError, match=r"unknown model of experiment C2 '.*SGD, "
    ) as e:
        experiments.get("C2").select(["SGD", name])
    assert f"'{name}'" in str(e.value)
    assert "uSF+BN+BM Top" in str(e.value)


@pytest.mark.parametrize("name", ["c2", "", "C9"])
def test_unknown_experiment(name):
    with pytest.raises(UsageError, match=f"unknown experiment '{name}': .* C2"):
        experiments.get(name)


def test_a_column_by_default_is_plain_backpropagation():
    assert Column("SGD") == Column("SGD", "BP", None, 0, None, (((0, None),),))
