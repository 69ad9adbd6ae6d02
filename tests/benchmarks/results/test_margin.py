import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.results import margin

SHARES = st.floats(1e-6, 1 - 1e-6)


def test_between_8_and_92_percent_a_margin_is_3_points():
    for share in (0.09, 0.2, 0.5, 0.88):
        step = margin.in_margins(share + 0.03) - margin.in_margins(share)
        assert step == pytest.approx(1)


@pytest.mark.parametrize("share", [0.001, 0.0067, 0.02, 0.05])
def test_below_a_margin_is_a_factor_of_the_odds(share):
    odds = 1.5 * share / (1 - share)
    worse = odds / (1 + odds)
    assert worse - share < 0.03
    step = margin.in_margins(worse) - margin.in_margins(share)
    assert step == pytest.approx(1)


def test_the_factor_is_what_the_test_split_of_mnist_resolves():
    # 67 and 100 errors of 10,000; a difference of two standard errors is 2.5 %.
    error = math.sqrt(1 / 67 + 1 / 100)
    assert 2 < math.log(1.5) / error < 3


@given(SHARES, SHARES)
def test_the_scale_rises(share, other):
    if share < other:
        assert margin.in_margins(share) <= margin.in_margins(other)


@given(SHARES)
def test_it_is_symmetric_and_has_an_inverse(share):
    value = margin.in_margins(share)
    assert margin.in_margins(1 - share) == pytest.approx(-value, abs=1e-6)
    assert margin.share_at(value) == pytest.approx(share, rel=1e-9)


@given(st.floats(0.001, 0.999))
def test_the_slope_is_the_derivative(share):
    step = 1e-6 * share * (1 - share)
    rise = margin.in_margins(share + step) - margin.in_margins(share - step)
    assert margin.slope(share) == pytest.approx(rise / 2 / step, rel=1e-3)
