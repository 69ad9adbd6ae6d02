import csv
import dataclasses
import pathlib

import pytest

from keras_asymbp import feedbacks
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.networks import NETWORKS
from keras_asymbp.benchmarks.tables import experiments, printed
from keras_asymbp.benchmarks.tables.experiments import (
    EXPERIMENTS,
    FA_BENCH,
    Column,
)

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
        ("RndF Top", "BP", None, 0, "Top"),
        ("RndF+BN+BM", "RndF", "BN", 1, None),
        ("RndF+BN+BM Bottom", "RndF", "BN", 1, "Bottom"),
        ("RndF+BN+BM Top", "RndF", "BN", 1, "Top"),
        ("uSF+BN+BM", "uSF", "BN", 1, None),
        ("uSF+BN+BM Bottom", "uSF", "BN", 1, "Bottom"),
        ("uSF+BN+BM Top", "RndF", "BN", 1, "Top"),
    ]


def summary(columns):
    return [(c.name, c.feedback, c.normalization, c.setting) for c in columns]


def test_a_is_table_2():
    columns = experiments.get("A").columns
    assert summary(columns) == [
        ("SGD", "BP", None, 0),
        ("BM", "BP", None, 1),
        ("BN", "BP", "BN learnable", 0),
        ("BN+BM", "BP", "BN learnable", 1),
        ("uSF", "uSF", None, 0),
        ("NuSF", "NuSF", None, 0),
        ("uSF+BM", "uSF", None, 1),
        ("uSF+BN", "uSF", "BN", 0),
        ("uSF+BN+BM", "uSF", "BN", 1),
        ("brSF+BN+BM", "brSF", "BN", 1),
        ("frSF+BN+BM", "frSF", "BN", 1),
    ]
    schedules = {c.name: c.batch_schedules for c in columns}
    assert schedules.pop("uSF+BM") == (((0, None),), ((0, None), (3, 500)))
    assert set(schedules.values()) == {(((0, None),),)}


@pytest.mark.parametrize(("name", "rule"), [("B1", "brSF"), ("B2", "frSF")])
def test_b_is_table_3(name, rule):
    assert summary(experiments.get(name).columns) == [
        ("SGD", "BP", None, 0),
        *(
            (f"{rule}{p}+BN+BM", f"{rule}{p}", "BN", 1)
            for p in ("-100", "-75", "-50", "-25", "")
        ),
    ]
    probabilities = [
        feedbacks.get(column.feedback).flip_probability
        for column in experiments.get(name).columns[1:]
    ]
    assert probabilities == [1, 0.75, 0.5, 0.25, 0]


def test_c1_is_table_4_left():
    assert summary(experiments.get("C1").columns) == [
        ("SGD", "BP", None, 0),
        ("RndF", "RndF", None, 0),
        ("NuSF", "NuSF", None, 0),
        ("BN", "BP", "BN learnable", 0),
        ("RndF+BN", "RndF", "BN", 0),
        ("RndF+BM", "RndF", None, 1),
        ("RndF+BN+BM", "RndF", "BN", 1),
        ("uSF+BN+BM", "uSF", "BN", 1),
    ]


def test_bm_is_table_5():
    assert summary(experiments.get("BM").columns) == [
        ("SGD", "BP", None, 0),
        ("BM1", "BP", None, 1),
        ("BM2", "BP", None, 2),
        ("BM3", "BP", None, 3),
        ("uSF+BN", "uSF", "BN", 0),
        ("uSF+BN+BM1", "uSF", "BN", 1),
        ("uSF+BN+BM2", "uSF", "BN", 2),
        ("uSF+BN+BM3", "uSF", "BN", 3),
    ]


def test_only_c2_clamps():
    for experiment in EXPERIMENTS.values():
        expected = {None, "Bottom", "Top"} if experiment.name == "C2" else {None}
        assert {column.clamped for column in experiment.columns} == expected


def test_one_name_is_one_model_in_every_table():
    models = {}
    for experiment in EXPERIMENTS.values():
        for column in experiment.columns:
            assert models.setdefault(column.name, column) == column


TABLES = {
    "A": ("table2_experiment_a", 11),
    "B1": ("table3_experiment_b", 6),
    "B2": ("table3_experiment_b", 6),
    "C1": ("table4_experiment_c1", 8),
    "C2": ("table4_experiment_c2", 8),
    "BM": ("table5_bm_settings", 8),
}


@every_experiment
def test_every_printed_column_is_in_the_experiment(experiment):
    name, count = TABLES[experiment.name]
    path = pathlib.Path(printed.__file__).with_suffix("") / f"{name}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        heads = set(next(csv.reader(file))[1:])
    names = {column.name for column in experiment.columns}
    assert len(names & heads) == count
    if experiment.name not in ("B1", "B2"):  # halves of one table
        assert heads <= names
    # Every column has the paper's figure for MNIST, from this table or another.
    assert None not in [printed.error("MNIST", name) for name in names]


def test_the_two_halves_of_table_3_are_complete():
    path = pathlib.Path(printed.__file__).with_suffix("") / "table3_experiment_b.csv"
    with path.open(newline="", encoding="utf-8") as file:
        heads = set(next(csv.reader(file))[1:])
    halves = (experiments.get(name).columns for name in ("B1", "B2"))
    assert {column.name for half in halves for column in half} == heads


@every_experiment
def test_columns_differ_in_name_and_settings(experiment):
    names = [column.name for column in experiment.columns]
    assert len(set(names)) == len(experiment.columns)
    # If only the last layer learns, rules do not differ.
    columns = [column for column in experiment.columns if column.clamped != "Top"]
    settings = {dataclasses.replace(column, name="") for column in columns}
    assert len(settings) == len(columns)


@every_experiment
def test_columns_use_known_rules_and_settings(experiment):
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


def selected(name, models):
    """Names of the selected columns by experiment."""
    chosen = experiments.select(experiments.get_all(name.split(",")), models)
    return {e.name: [column.name for column in columns] for e, columns in chosen}


def test_select_without_names_selects_all():
    for experiment, columns in experiments.select(experiments.get_all(["all"]), None):
        assert columns == experiment.columns
    assert list(selected("all", None)) == ["A", "B1", "B2", "C1", "C2", "BM"]
    assert list(selected("C2,A,C2", None)) == ["C2", "A"]


def test_a_name_in_another_case_is_the_tables_own():
    assert selected("C2", ["sgd"]) == {"C2": ["SGD"]}
    columns = tuple(map(Column, ("SGD", "sgd", "usf")))
    mine = dataclasses.replace(experiments.get("C2"), columns=columns)
    for name in ("SGD", "sgd", "usf"):
        ((_, (column,)),) = experiments.select([mine], [name])
        assert column.name == name


def test_no_models_are_not_all():
    assert selected("C2", []) == {}


def test_select_keeps_the_tables_order():
    assert selected("C2", ["uSF+BN+BM Top", "SGD", "SGD"]) == {
        "C2": ["SGD", "uSF+BN+BM Top"]
    }


def test_select_omits_experiments_without_the_model():
    assert selected("all", ["uSF+BN", "BM2"]) == {
        "A": ["uSF+BN"],
        "BM": ["BM2", "uSF+BN"],
    }


@pytest.mark.parametrize("name", ["SGD ", "uSF", ""])
def test_unknown_model(name):
    with pytest.raises(
        UsageError, match=r"unknown model of experiment C2 '.*SGD, "
    ) as e:
        selected("C2", ["SGD", name])
    assert f"'{name}'" in str(e.value)
    assert "uSF+BN+BM Top" in str(e.value)


@pytest.mark.parametrize("name", ["c2", "", "C9"])
def test_unknown_experiment(name):
    with pytest.raises(UsageError, match=f"unknown experiment '{name}': .* C2"):
        experiments.get(name)


def test_a_column_by_default_is_plain_backpropagation():
    assert Column("SGD") == Column("SGD", "BP", None, None, 0, None, (((0, None),),))


# BioTorch 0.0.16, Benchmarks.md, by SGD.
PUBLISHED = {
    "MNIST lenet-mnist": (0.91, 1.7, 0.94, 0.91, 0.97, 1.61),
    "fashion_mnist lenet-mnist": (9.2, 13.06, 9.69, 10.02, 9.61, 12.81),
    "CIFAR resnet-20": (8.63, 32.16, 10.05, 11.02, 11.2, 45.94),
}


@pytest.mark.parametrize("row", PUBLISHED)
def test_fa_bench_has_the_figures_of_biotorch(row):
    columns = [column.name for column in FA_BENCH.columns]
    assert columns == ["BP", "FA", "uSF", "brSF", "frSF", "DFA", "KP", "WM"]
    figures = tuple(printed.error(row, column) for column in columns)
    assert figures == (*PUBLISHED[row], None, None)


def test_fa_bench_uses_known_rules_and_networks():
    for column in FA_BENCH.columns:
        if column.feedback == "DFA":
            continue
        rule = feedbacks.get(column.feedback)
        signs = isinstance(rule, feedbacks.SignConcordant)
        assert column.scale == ("init_std" if signs else None)
    assert FA_BENCH.baseline == "BP"
    assert {network for _, network in FA_BENCH.networks} <= set(NETWORKS)
    assert 0 < FA_BENCH.validation_share < 1


def test_fa_bench_is_no_table_of_the_paper():
    assert FA_BENCH not in experiments.get_all(["all"])
    assert experiments.get("FA-bench") is FA_BENCH
    assert FA_BENCH.place == "Benchmarks.md of BioTorch 0.0.16"
    assert experiments.get("A").place == "Table 2 of the paper"


def test_all_leaves_no_other_name_out():
    chosen = [e.name for e in experiments.get_all(["C2", "all", "FA-bench", "C2"])]
    assert chosen == ["C2", "A", "B1", "B2", "C1", "BM", "FA-bench"]
    with pytest.raises(UsageError, match="unknown experiment 'C9'"):
        experiments.get_all(["all", "C9"])
