import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.results.inference import Hits, Student, holm
from keras_asymbp.benchmarks.results.margin import in_margins

P_VALUES = st.lists(st.floats(0, 1), max_size=30)
EFFECTS = st.lists(st.integers(-50, 50), min_size=2, max_size=8)


def width(evidence):
    low, high = evidence.interval()
    return high - low


def test_the_interval_over_seeds_by_hand():
    # Mean 3, standard deviation 1, and t(0.975, 2) = 4.3027.
    evidence = Student.over_seeds([2, 3, 4], resolution=0.1)
    assert evidence.value == 3
    reach = 4.30265 / math.sqrt(3)
    assert evidence.interval() == pytest.approx((3 - reach, 3 + reach), abs=1e-4)


@given(EFFECTS.filter(lambda effects: len(set(effects)) > 1), st.floats(-3, 3))
def test_over_seeds_it_is_the_one_sample_t_test(effects, bound):
    evidence = Student.over_seeds(effects, resolution=1e-9)
    for p, side in (
        (evidence.p_above(bound), "greater"),
        (evidence.p_below(bound), "less"),
    ):
        expected = scipy.stats.ttest_1samp(effects, bound, alternative=side)
        assert p == pytest.approx(expected.pvalue, abs=1e-9)


def test_equivalence_by_hand():
    # TOST of the mean 0.2 with standard error 0.3 and 9 degrees of freedom, within 1:
    # t = 0.8 / 0.3 and 1.2 / 0.3; the larger p is that of 2.667, which is 0.0129.
    evidence = Student(0.2, 0.3, 9)
    assert evidence.p_below(1) == pytest.approx(0.0129, abs=5e-5)
    assert evidence.p_above(-1) == pytest.approx(0.00156, abs=5e-5)


def test_without_spread_the_resolution_counts():
    evidence = Student.over_seeds([1.0, 1.0], resolution=0.1)
    assert evidence == Student(1.0, 0.1 / math.sqrt(2), 1)
    assert all(map(math.isfinite, evidence.interval()))


@given(EFFECTS, st.integers(2, 4))
def test_more_seeds_with_the_same_values_narrow_the_interval(effects, times):
    fewer = Student.over_seeds(effects, resolution=0.1)
    more = Student.over_seeds(effects * times, resolution=0.1)
    assert width(more) < width(fewer)
    assert more.value == pytest.approx(fewer.value)


@given(st.floats(-9, 9), st.floats(0.01, 9), st.integers(1, 30), st.floats(-9, 9))
def test_the_interval_and_p_agree(value, error, freedom, bound):
    evidence = Student(value, error, freedom)
    low, high = evidence.interval()
    assert (low > bound) == (evidence.p_above(bound) < 0.025)
    assert (high < bound) == (evidence.p_below(bound) < 0.025)


def test_hits_by_hand():
    # 3 of 4 by guessing among two: P(K >= 3) = 5/16, P(K <= 3) = 15/16.
    evidence = Hits((3,), 4, 0.5)
    assert evidence.p_above(0) == pytest.approx(5 / 16)
    assert evidence.p_below(0) == pytest.approx(15 / 16)
    # Clopper and Pearson's interval of 3 of 4 is 0.1941 to 0.9937; half an example of
    # 5 keeps the error from 0.
    low, high = evidence.interval()
    assert low == pytest.approx(-in_margins(1 - 0.1941), abs=0.01)
    assert high == pytest.approx(-in_margins(0.1))


def test_clopper_and_pearson_s_interval_is_that_of_the_beta_distribution():
    low, high = Hits((137,), 1000, 0.9).interval()
    ends = (
        scipy.stats.beta.ppf(0.025, 137, 864),
        scipy.stats.beta.ppf(0.975, 138, 863),
    )
    expected = [in_margins(0.9) - in_margins(1 - end) for end in ends]
    assert (low, high) == pytest.approx(expected, abs=1e-6)


def test_what_is_asserted_must_be_true_of_every_seed():
    learning, guessing = Hits((900,), 1000, 0.9), Hits((100,), 1000, 0.9)
    both = Hits((900, 100), 1000, 0.9)
    assert learning.p_above(0) < 1e-6
    assert both.p_above(0) == guessing.p_above(0) > 0.4
    assert both.p_below(1) == learning.p_below(1) > 0.4
    assert both.interval() == (guessing.interval()[0], learning.interval()[1])


def test_the_best_of_many_looks_is_often_better_than_guessing():
    once, often = Hits((113,), 1000, 0.9), Hits((113,), 1000, 0.9, looks=30)
    expected = scipy.stats.binomtest(113, 1000, 0.1, "greater").pvalue
    assert once.p_above(0) == pytest.approx(expected)
    assert often.p_above(0) == 1
    assert often.p_below(0) == once.p_below(0)
    assert Hits((150,), 1000, 0.9, looks=30).p_above(0) == pytest.approx(
        30 * scipy.stats.binomtest(150, 1000, 0.1, "greater").pvalue
    )


@given(st.integers(1, 40), st.data())
def test_hits_are_finite_everywhere(examples, data):
    count = data.draw(st.integers(0, examples))
    evidence = Hits((count,), examples, 0.9)
    assert np.isfinite([evidence.value, *evidence.interval()]).all()
    assert 0 <= evidence.p_above(1) <= 1
    assert 0 <= evidence.p_below(1) <= 1


def test_holm_by_hand():
    # Sorted: 0.005 x 4, 0.01 x 3, 0.03 x 2, and 0.04 x 1, which the one before exceeds.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(P_VALUES)
def test_holm_never_rejects_more_than_without_correction(p_values):
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    # And never less than Bonferroni.
    bonferroni = [min(1, len(p_values) * p) for p in p_values]
    assert all(a <= b for a, b in zip(adjusted, bonferroni, strict=True))


@given(P_VALUES)
def test_holm_keeps_the_order(p_values):
    adjusted = holm(p_values)
    pairs = sorted(zip(p_values, adjusted, strict=True))
    assert [a for _, a in pairs] == sorted(adjusted)
