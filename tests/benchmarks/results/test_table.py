import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import fill, group, mark
from keras_asymbp.benchmarks.tables import experiments, readings
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.tables.protocol import PRESETS

SGD, RNDF = Column("SGD"), Column("RndF Bottom", rule="RndF", clamped="Bottom")


@pytest.fixture
def filled(tmp_path, make_plan, finish):
    """Fills a plan's row from trials with the given errors.

    `errors` maps a column to a list over seeds of the first trials' errors; further
    trials are missing.
    """

    def filled(errors, **plan):
        store = Store(tmp_path)
        plan = make_plan(seeds=tuple(range(len(next(iter(errors.values()))))), **plan)
        for cell in plan.cells():
            missing = [()] * len(plan.setup.seeds)
            given = errors.get(cell.column.name, missing)[cell.seed]
            for trial, error in zip(cell.trials(), given, strict=False):
                finish(store, cell, trial, error)
        return fill(plan, Store(tmp_path))

    return filled


def entries(row):
    return row.entries


@pytest.mark.parametrize(
    ("error", "baseline", "expected"),
    [
        (6.0, 3.0, "worse"),
        (5.99, 3.0, None),
        (3.0, 6.0, "better"),
        (3.01, 6.0, None),
        (3.0, 3.0, None),
        (90.0, 3.0, "worse"),
        (0.0, 90.0, "better"),
        # Three points in decimal are a little less or more in binary.
        (10.0, 7.000000000000001, "worse"),
        (100 * 0.29, 100 * 0.26, "worse"),
        (100 * 0.07, 100 * 0.1, "better"),
        (None, 3.0, None),
        (3.0, None, None),
        (None, None, None),
    ],
)
def test_colour_rule(error, baseline, expected):
    assert mark(error, baseline) == expected


@given(thousandths=st.integers(0, 970))
@settings(max_examples=200)
def test_exactly_three_points_are_marked_for_any_baseline(thousandths):
    low, high = 100 * (thousandths / 1000), 100 * ((thousandths + 30) / 1000)
    assert (mark(high, low), mark(low, high)) == ("worse", "better")
    less = 100 * ((thousandths + 29) / 1000)
    assert (mark(less, low), mark(low, less)) == (None, None)


def test_an_entry_is_its_best_trial(filled):
    table = filled(
        {"SGD": [[0.5, 0.125, 0.25]], "RndF Bottom": [[0.875, 0.75, 0.9]]},
        columns=[SGD, RNDF],
        learning_rates=(0.5, 0.25, 0.125),
    )
    sgd, rndf = entries(table)
    assert (sgd.errors, sgd.error, sgd.spread) == ({0: 12.5}, 12.5, None)
    assert (sgd.mark, sgd.paper, sgd.paper_mark) == (None, 0.67, None)
    assert (rndf.errors, rndf.error) == ({0: 75.0}, 75.0)
    assert (rndf.mark, rndf.paper, rndf.paper_mark) == ("worse", 85.5, "worse")
    found = [trial["result"]["best_error"] for trial in sgd.trials]
    assert found == [0.125, 0.25, 0.5]
    assert len(table.trials()) == 6
    assert {trial["model"] for trial in table.trials()} == {"SGD", "RndF Bottom"}


def test_mean_and_deviation_of_the_seeds(filled):
    table = filled(
        {"SGD": [[0.02, 0.5], [0.5, 0.04], [0.09, 0.5]]}, learning_rates=(0.5, 0.25)
    )
    (entry,) = entries(table)
    assert entry.errors == pytest.approx({0: 2.0, 1: 4.0, 2: 9.0})
    assert entry.error == pytest.approx(5.0)
    assert entry.spread == pytest.approx(((9 + 1 + 16) / 2) ** 0.5)


def test_marks_compare_means(filled):
    table = filled(
        {"SGD": [[0.01], [0.05]], "RndF Bottom": [[0.05], [0.07]]},
        columns=[SGD, RNDF],
        learning_rates=(0.5,),
    )
    assert [entry.mark for entry in entries(table)] == [None, "worse"]


def test_entries_are_compared_with_the_baseline_seed_by_seed(filled):
    table = filled(
        {"SGD": [[0.01], [0.05], []], "RndF Bottom": [[0.05], [0.07], [0.5]]},
        columns=[SGD, RNDF],
        learning_rates=(0.5,),
    )
    sgd, rndf = entries(table)
    assert sgd.comparison is None
    # The baseline lacks the third seed.
    assert rndf.comparison.seeds == (0, 1)
    assert rndf.comparison.difference == pytest.approx((4 + 2) / 2)


def test_an_incomplete_cell_has_no_figure(filled):
    table = filled(
        {"SGD": [[0.01, 0.02]], "RndF Bottom": [[0.9, 0.8, 0.7]]},
        columns=[SGD, RNDF],
        learning_rates=(0.5, 0.25, 0.125),
    )
    sgd, rndf = entries(table)
    assert (sgd.errors, sgd.error, sgd.spread, sgd.mark) == ({}, None, None, None)
    assert (len(sgd.trials), sgd.expected) == (2, 3)
    # Our baseline is missing, but the paper's is known.
    assert (rndf.error, rndf.mark, rndf.paper_mark) == (70.0, None, "worse")


def test_an_incomplete_seed_does_not_count(filled):
    table = filled({"SGD": [[0.5, 0.25], [0.125]]}, learning_rates=(0.5, 0.25))
    (entry,) = entries(table)
    assert (entry.errors, entry.error, entry.spread) == ({0: 25.0}, 25.0, None)
    assert (len(entry.trials), entry.expected) == (3, 4)


def test_without_the_baseline_there_are_no_marks(filled):
    table = filled({"RndF Bottom": [[0.9]]}, columns=[RNDF], learning_rates=(0.5,))
    (entry,) = entries(table)
    assert (entry.error, entry.mark, entry.paper_mark) == (90.0, None, None)
    assert entry.paper == 85.5


def test_an_unknown_figure_of_the_paper_is_none(filled):
    row = dataclasses.replace(datasets.get("mnist_5k"), paper="LFW-ID")
    table = filled(
        {"SGD": [[0.1]], "RndF Bottom": [[0.9]], "SGD Top": [[0.2]]},
        columns=[SGD, RNDF, Column("SGD Top", clamped="Top")],
        dataset=row,
        learning_rates=(0.5,),
    )
    sgd, rndf, top = entries(table)
    assert (sgd.paper, rndf.paper, top.paper) == (79.25, 98.25, None)
    assert (rndf.paper_mark, top.paper_mark, top.mark) == ("worse", None, "worse")


def test_trials_of_other_settings_are_not_in_the_table(tmp_path, make_plan, finish):
    plan, other = (
        make_plan(learning_rates=(0.5,)),
        make_plan(learning_rates=(0.5,), epochs=7),
    )
    store = Store(tmp_path)
    for cell in other.cells():
        finish(store, cell, *cell.trials(), 0.0)
    (entry,) = entries(fill(plan, store))
    assert (entry.error, entry.trials, entry.expected) == (None, (), 1)


def test_rows_with_the_same_training_form_one_table(tmp_path, make_plan, tiny):
    alike = [
        make_plan(columns=[SGD, RNDF], dataset=dataset, seeds=(0, 3))
        for dataset in (tiny, datasets.get("mnist_5k"))
    ]
    other = make_plan(columns=[SGD, RNDF], seeds=(0, 3), epochs=7)
    rows = [fill(plan, Store(tmp_path)) for plan in (alike[0], other, alike[1])]
    first, second = group(rows)
    assert [row.plan for row in first.rows] == alike
    assert [row.plan for row in second.rows] == [other]
    assert (first.experiment, first.columns) == (alike[0].experiment, (SGD, RNDF))
    assert first.training == alike[0].setup


def test_networks_with_their_default_readings_are_in_one_table(tmp_path, make_plan):
    def plan(name, reading):
        protocol = reading.applied(PRESETS["quick"])
        plan = make_plan(columns=[SGD], dataset=datasets.get(name))
        setup = dataclasses.replace(plan.setup, protocol=protocol)
        return dataclasses.replace(plan, setup=setup)

    networks = {"mnist_5k": "mnist", "cifar10": "cifar"}
    defaults = [plan(name, readings.default(n)) for name, n in networks.items()]
    other = plan("mnist_5k", readings.BASE)
    assert defaults[0].setup.protocol != defaults[1].setup.protocol
    store = Store(tmp_path)
    first, second = group(fill(each, store) for each in (*defaults, other))
    assert [row.plan for row in first.rows] == defaults
    assert [row.plan for row in second.rows] == [other]


def test_a_failed_cell_has_a_reason_and_no_figure(tmp_path, make_plan, finish):
    plan = make_plan(columns=[SGD, RNDF], seeds=(0, 1), learning_rates=(0.5,))
    store = Store(tmp_path)
    failures = {}
    for cell in plan.cells():
        if (cell.column, cell.seed) == (RNDF, 1):
            failures[cell] = "out of memory"
        else:
            finish(store, cell, *cell.trials(), 0.1)
    table = fill(plan, store, failures)
    sgd, rndf = entries(table)
    assert (sgd.error, dict(sgd.failures)) == (10.0, {})
    # The other seed's error is kept, but it is not the requested mean.
    assert rndf.errors == {0: 10.0}
    assert (rndf.error, rndf.mark) == (None, None)
    assert rndf.failures == {1: "out of memory"}
    assert table.failures() == list(failures.items())
    # A complete cell has no failure.
    for cell in failures:
        finish(store, cell, *cell.trials(), 0.1)
    assert fill(plan, store, failures).failures() == []


def test_the_rate_is_chosen_by_the_validation_error(tmp_path, make_plan, finish):
    store = Store(tmp_path)
    plan = make_plan(learning_rates=(0.5, 0.25), validation_share=0.1)
    (cell,) = plan.cells()
    # The rate with the lower test error has the higher validation error.
    for trial, test, validation in zip(
        cell.trials(), (0.25, 0.5), (0.125, 0.0625), strict=True
    ):
        finish(store, cell, trial, test, validation_error=validation)
    (entry,) = entries(fill(plan, Store(tmp_path)))
    assert entry.error == 50.0
    assert [t["result"]["best_error"] for t in entry.trials] == [0.5, 0.25]


def test_a_peers_figures_belong_to_its_networks(tmp_path, make_plan):
    bench = experiments.FA_BENCH
    plan, other = (
        dataclasses.replace(
            make_plan(architecture=network), experiment=bench, columns=bench.columns
        )
        for network in ("lenet-mnist", "cifar")
    )
    table = fill(plan, Store(tmp_path))
    printed = [entry.paper for entry in entries(table)]
    assert printed == [0.91, 1.7, 0.94, 0.91, 0.97, 1.61, None, None]
    assert plan.printed_row() == "BioTorch: MNIST lenet-mnist"
    assert {entry.paper for entry in entries(fill(other, Store(tmp_path)))} == {None}
    assert other.printed_row() == "BioTorch: no row"
    assert make_plan().printed_row() == "paper: MNIST"
