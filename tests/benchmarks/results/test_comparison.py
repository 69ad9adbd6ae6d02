import math
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.results.comparison import compare

# The 97.5 % quantile of Student's t with 2 degrees of freedom, from a printed table.
T_2 = 4.302653


def test_worked_by_hand():
    found = compare({0: 3.0, 1: 5.0, 2: 10.0}, {0: 1.0, 1: 2.0, 2: 3.0})
    # Differences 2, 3 and 7: mean 4, variance (4 + 1 + 9) / 2 = 7.
    assert found.difference == pytest.approx(4)
    error = math.sqrt(7 / 3)
    assert found.low == pytest.approx(4 - T_2 * error, abs=1e-4)
    assert found.high == pytest.approx(4 + T_2 * error, abs=1e-4)
    # With 2 degrees of freedom Student's t has a closed form.
    t = 4 / error
    assert found.p_value == pytest.approx(1 - t / math.sqrt(2 + t * t))
    assert found.seeds == (0, 1, 2)


def test_only_common_seeds_are_pairs():
    found = compare({0: 3.0, 1: 5.0, 7: 99.0}, {1: 1.0, 0: 2.0, 5: 50.0})
    assert (found.difference, found.seeds) == (2.5, (0, 1))


@pytest.mark.parametrize(
    ("errors", "baseline"), [({}, {}), ({0: 1.0}, {0: 2.0}), ({0: 1.0}, {1: 2.0, 0: 1})]
)
def test_less_than_two_pairs_are_no_comparison(errors, baseline):
    assert compare(errors, baseline) is None


@pytest.mark.parametrize("shift", [0.0, 0.1, 3.0])
def test_differences_that_are_all_the_same_have_no_test(shift):
    baseline = {0: 2.9, 1: 3.3, 2: 7.1}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compare({s: e + shift for s, e in baseline.items()}, baseline)
    assert found.difference == pytest.approx(shift)
    assert (found.low, found.high, found.p_value) == (None, None, None)


PERCENT = st.integers(0, 1000).map(lambda tenths: tenths / 10)


@given(pairs=st.lists(st.tuples(PERCENT, PERCENT), min_size=2, max_size=6))
def test_turned_round_it_is_the_opposite(pairs):
    ours = {seed: pair[0] for seed, pair in enumerate(pairs)}
    base = {seed: pair[1] for seed, pair in enumerate(pairs)}
    found, other = compare(ours, base), compare(base, ours)
    assert other.difference == pytest.approx(-found.difference, abs=1e-9)
    if found.low is None:
        assert other.low is None
    else:
        assert (other.low, other.high) == pytest.approx((-found.high, -found.low))
        assert other.p_value == pytest.approx(found.p_value)
        assert found.low <= found.difference <= found.high
