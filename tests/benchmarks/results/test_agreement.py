import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.results import agreement, inventory
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import fill
from keras_asymbp.benchmarks.tables import printed
from keras_asymbp.benchmarks.tables.experiments import EXPERIMENTS

PAIRS = st.lists(st.tuples(*[st.integers(0, 100)] * 2), min_size=3, max_size=20).filter(
    lambda pairs: all(len(set(kind)) > 1 for kind in zip(*pairs, strict=True))
)


def ranks(values):
    """Ranks from 1; equal values share the mean of their places."""
    return [
        sum(other < value for other in values)
        + (1 + sum(other == value for other in values)) / 2
        for value in values
    ]


@given(PAIRS)
def test_rank_correlation_is_the_correlation_of_ranks(pairs):
    x, y = (np.array(ranks(kind)) for kind in zip(*pairs, strict=True))
    x, y = x - x.mean(), y - y.mean()
    expected = x @ y / np.sqrt((x @ x) * (y @ y))
    assert agreement.rank_correlation(pairs) == pytest.approx(expected, abs=6e-5)
    x, y = np.array(pairs).T
    assert agreement._spearman(x, y, axis=-1) == pytest.approx(expected)


@pytest.mark.parametrize(
    "pairs", [[], [(1, 2), (2, 3)], [(1, 2), (1, 3), (1, 4)], [(1, 2), (3, 2), (4, 2)]]
)
def test_no_rank_correlation(pairs):
    assert agreement.rank_correlation(pairs) is None
    found = agreement.agreement("Table 0", pairs)
    assert found == agreement.Agreement("Table 0", len(pairs), None, None, None)


def test_the_interval_is_that_of_resampled_models(recwarn):
    pairs = [(n, n + (-1) ** n * 3.5) for n in range(12)]
    found = agreement.agreement("Table 0", pairs)
    draw = np.random.default_rng(7)
    resampled = []
    for _ in range(2000):
        chosen = np.array(pairs)[draw.integers(12, size=12)]
        x, y = (np.array(ranks(list(kind))) for kind in chosen.T)
        resampled.append(np.corrcoef(x, y)[0, 1])
    assert found.low == pytest.approx(np.quantile(resampled, 0.025), abs=0.06)
    assert found.high == pytest.approx(np.quantile(resampled, 0.975), abs=0.06)
    assert agreement.agreement("Table 0", pairs) == found
    assert [str(w.message) for w in recwarn] == []


def test_four_models_have_no_interval():
    found = agreement.agreement("Table 0", [(n, n) for n in range(4)])
    assert (found.correlation, found.low, found.high) == (1, None, None)


def test_ties_make_no_warning(recwarn):
    # A resample of equal models has no order, and counts as 0.
    found = agreement.agreement("Table 0", [(1, 1), (1, 1), (1, 1), (1, 1), (2, 2)])
    assert (found.correlation, found.low, found.high) == (1, 0, 1)
    assert [str(w.message) for w in recwarn] == []


def test_a_model_that_is_printed_twice_has_the_mean(tmp_path, finish, make_plan):
    # SGD Top, 3.85, is RndF Top, 3.81.
    store, names = Store(tmp_path), ("SGD Top", "RndF Top", "RndF")
    columns = [c for c in EXPERIMENTS["C2"].columns if c.name in names]
    plan = make_plan(columns, learning_rates=(0.5,))
    for cell in plan.cells():
        for trial in cell.trials():
            finish(store, cell, trial, 0.07)
    pairs = agreement._pairs(fill(plan, store))
    expected = [((3.85 + 3.81) / 2, 7), (printed.error("MNIST", "RndF"), 7)]
    assert [*pairs.values()] == [pytest.approx(pair) for pair in expected]


def test_tables_and_all_of_the_paper(tmp_path, finish, make_cell):
    store = Store(tmp_path)
    # Ours are the paper's own figures for Table 2, and nothing for the others.
    for column in EXPERIMENTS["A"].columns:
        cell = make_cell(column, epochs=7, learning_rates=(0.5,))
        for trial in cell.trials():
            finish(store, cell, trial, printed.error("MNIST", column.name) / 100)
    (setup,) = inventory.take(store).setups
    found = {a.place: a for a in agreement.agreements(setup, store)}
    assert found["Table 2 of the paper"].models == 11
    assert found["Table 2 of the paper"].correlation == 1
    # SGD, NuSF, BN and uSF+BN+BM are Table 4's, too; SGD alone is in all.
    assert found["Table 4, left of the paper"].models == 4
    assert "Table 3, left of the paper" not in found
    # BM1 of Table 5 is BM, and uSF+BN+BM1 uSF+BN+BM, by another name.
    assert found["Table 5 of the paper"].models == 4
    assert found["all tables of the paper"].models == 11
