import dataclasses
import itertools
import statistics

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.results import aggregates, inventory
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables import readings
from keras_asymbp.benchmarks.tables.experiments import EXPERIMENTS

COLUMNS = {c.name: c for e in EXPERIMENTS.values() for c in e.columns}
ERRORS = st.lists(st.integers(0, 20), min_size=2, max_size=4)


def test_by_hand():
    found = aggregates.aggregate(
        "RndF", ("a", "b"), [[1, 2, 3], [4, 5, 90]], [[2, 2, 2], [99, 99, 99]]
    )
    # Of 1, 2, 3, 4, 5, 90 a quarter, one, is cut from each end.
    assert found.error.value == statistics.fmean([2, 3, 4, 5])
    # On a one seed is lower, one equal, one higher; on b all are lower.
    assert found.improvement.value == pytest.approx((0.5 + 1) / 2)


@given(st.lists(st.tuples(ERRORS, ERRORS), min_size=2, max_size=3))
def test_the_probability_is_that_of_mann_and_whitney(by_dataset):
    ours, base = zip(*by_dataset, strict=True)
    shares = [
        scipy.stats.mannwhitneyu(b, o).statistic / len(o) / len(b)
        for o, b in zip(ours, base, strict=True)
    ]
    samples = [np.array(sample, float) for sample in (*ours, *base)]
    found = aggregates._improvement(*samples, axis=-1)
    assert found == pytest.approx(statistics.fmean(shares))


def test_the_bootstrap_is_stratified():
    # Resampled as one, the two data sets' errors would mix.
    ours, base = [[1] * 5, [9] * 5], [[2] * 5, [8] * 5]
    found = aggregates.aggregate("RndF", ("a", "b"), ours, base)
    assert found.error.interval == (5, 5)
    assert found.improvement.interval == (0.5, 0.5)


def test_data_sets_have_equal_weight():
    ours, base = [[1] * 5, [9] * 7], [[2] * 6, [8] * 5]
    found = aggregates.aggregate("RndF", ("a", "b"), ours, base)
    assert found.error == aggregates.Estimate(5, (5, 5))


def test_four_seeds_have_no_interval(recwarn):
    ours, base = [[1] * 4, [9] * 5], [[2] * 5, [8] * 5]
    found = aggregates.aggregate("RndF", ("a", "b"), ours, base)
    assert found.error.interval is None
    assert found.improvement.interval is None
    assert [str(w.message) for w in recwarn] == []


def test_the_baseline_is_not_compared_with_itself():
    found = aggregates.aggregate("SGD", ("a", "b"), [[1, 1], [9, 9]], [[1, 1], [9, 9]])
    assert found.improvement is None


def test_models_of_all_data_sets_of_a_protocol(tmp_path, finish, make_cell):
    store = Store(tmp_path)
    sets = [datasets.get(name) for name in ("svhn", "cifar10")]
    assert len({readings.default(dataset.network) for dataset in sets}) == 2

    def run(model, dataset, error, version="1", **protocol):
        # The networks' default readings differ, and are one protocol all the same.
        reading = dataclasses.asdict(readings.default(dataset.network))
        del reading["name"]
        for seed in (0, 1):
            cell = make_cell(
                *(COLUMNS[model], dataset, seed, version),
                **{"learning_rates": (0.5,), "epochs": 7} | reading | protocol,
            )
            for trial in cell.trials():
                finish(store, cell, trial, error)

    for dataset, model in itertools.product(sets, ("SGD", "BN")):
        share = 0.5 if model == "SGD" else 0.1
        run(model, dataset, share * {"svhn": 0.8041, "cifar10": 0.9}[dataset.name])
    run("RndF", sets[0], 0.5)  # on one data set only
    run("BN", sets[0], 0.5, epochs=3)  # another protocol, with one data set
    for version in ("1", "2"):  # still one data set
        run("SGD", sets[0], 0.5, version, epochs=4)
    ((sgd, bn),) = aggregates.aggregates(inventory.take(store).setups, store)
    assert (sgd.model, bn.model) == ("SGD", "BN")
    assert sorted(bn.datasets) == ["cifar10", "svhn"]
    assert sgd.error.value == pytest.approx(50)
    assert bn.error.value == pytest.approx(10)
    assert bn.improvement.value == 1
