import math
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.results.comparison import compare, compare_once

# The 97.5 % quantile of Student's t with 2 degrees of freedom, from a printed table.
T_2 = 4.302653


def test_worked_by_hand():
    result = compare({0: 3.0, 1: 5.0, 2: 10.0}, {0: 1.0, 1: 2.0, 2: 3.0})
    # Differences 2, 3 and 7: mean 4, variance (4 + 1 + 9) / 2 = 7.
    assert result.difference == pytest.approx(4)
    error = math.sqrt(7 / 3)
    assert result.low == pytest.approx(4 - T_2 * error, abs=1e-4)
    assert result.high == pytest.approx(4 + T_2 * error, abs=1e-4)
    # With 2 degrees of freedom Student's t has a closed form.
    t = 4 / error
    assert result.p_value == pytest.approx(1 - t / math.sqrt(2 + t * t))
    assert result.seeds == (0, 1, 2)


def test_only_common_seeds_are_pairs():
    result = compare({0: 3.0, 1: 5.0, 7: 99.0}, {1: 1.0, 0: 2.0, 5: 50.0})
    assert (result.difference, result.seeds) == (2.5, (0, 1))


@pytest.mark.parametrize(
    ("errors", "baseline"), [({}, {}), ({0: 1.0}, {0: 2.0}), ({0: 1.0}, {1: 2.0, 0: 1})]
)
def test_fewer_than_two_pairs_give_no_comparison(errors, baseline):
    assert compare(errors, baseline) is None


@pytest.mark.parametrize("shift", [0.0, 0.1, 3.0])
def test_equal_differences_have_no_t_test(shift):
    baseline = {0: 2.9, 1: 3.3, 2: 7.1}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = compare({s: e + shift for s, e in baseline.items()}, baseline)
    assert result.difference == pytest.approx(shift)
    assert (result.low, result.high, result.p_value) == (None, None, None)


PERCENT = st.integers(0, 1000).map(lambda tenths: tenths / 10)


@given(pairs=st.lists(st.tuples(PERCENT, PERCENT), min_size=2, max_size=6))
def test_exchanging_the_models_changes_the_sign(pairs):
    ours = {seed: pair[0] for seed, pair in enumerate(pairs)}
    base = {seed: pair[1] for seed, pair in enumerate(pairs)}
    result, other = compare(ours, base), compare(base, ours)
    assert other.difference == pytest.approx(-result.difference, abs=1e-9)
    if result.low is None:
        assert other.low is None
    else:
        assert (other.low, other.high) == pytest.approx((-result.high, -result.low))
        assert other.p_value == pytest.approx(result.p_value)
        assert result.low <= result.difference <= result.high


def test_one_seed_is_compared_over_test_examples():
    result = compare_once({0: 30.0, 1: 5.0}, {0: 10.0}, 1000)
    assert (result.difference, result.seeds, result.p_value) == (20.0, (0,), None)
    # By hand: 1.96 sqrt((0.3 * 0.7 + 0.1 * 0.9) / 1000) is 3.39 points.
    assert (result.low, result.high) == pytest.approx((16.6, 23.4), abs=0.02)
    assert compare_once({0: 0.0}, {0: 0.0}, 10).high > 0  # few examples, no certainty


@pytest.mark.parametrize(
    ("errors", "baseline", "examples"),
    [({0: 1.0}, {1: 1.0}, 9), ({0: 1.0}, {0: 1.0}, 0), ({0: 1, 1: 1}, {0: 1, 1: 1}, 9)],
)
def test_without_one_common_seed_and_examples_there_is_none(errors, baseline, examples):
    assert compare_once(errors, baseline, examples) is None
