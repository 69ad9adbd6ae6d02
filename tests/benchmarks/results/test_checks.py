import dataclasses
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.results import checks
from keras_asymbp.benchmarks.results.checks import Sample
from keras_asymbp.benchmarks.results.inference import Hits

ERRORS = st.integers(0, 1000).map(lambda wrong: wrong / 10)


def sample(examples=1000, guessing=90, **errors):
    by_model = {m: dict(enumerate(of_seed)) for m, of_seed in errors.items()}
    return Sample(by_model, examples, guessing)


@pytest.mark.parametrize(
    ("check", "passing", "failing"),
    [
        (checks.better("a", "b"), [(50, 53.1), (1, 1.6)], [(50, 52.9), (1, 1.4)]),
        (checks.lower("a", "b"), [(50, 50.1)], [(50, 50), (50.1, 50)]),
        (checks.no_worse("a", "b"), [(52.9, 50), (1, 90)], [(53.1, 50), (1.6, 1)]),
        (checks.alike("a", "b"), [(50, 52.9), (52.9, 50)], [(50, 53.1), (1.6, 1)]),
        (checks.learns("a"), [(89.9, 0)], [(90, 0), (90.1, 0)]),
        (checks.guesses("a"), [(90, 0), (87.1, 0), (99, 0)], [(86.9, 0), (5, 0)]),
    ],
)
def test_exact_errors(check, passing, failing):
    for cases, expected in ((passing, True), (failing, False)):
        for a, b in cases:
            assert check.passes({"a": a, "b": b}, 90) is expected


def test_the_greater_step():
    check = checks.greater_step(("b", "c"), than=("a", "b"))
    assert dict(check.weights) == {"b": 2, "c": -1, "a": -1}
    assert check.label == "(b - c) - (a - b)"
    assert check.passes({"a": 72, "b": 71, "c": 20}, 90)
    assert not check.passes({"a": 61, "b": 31, "c": 20}, 90)


def test_points_and_labels():
    check = checks.better("a", than="b")
    assert (check.label, check.models) == ("b - a", ("b", "a"))
    assert check.points({"a": 2, "b": 5}, 90) == 3
    assert checks.learns("a").points({"a": 50}, 90) == 40
    assert checks.learns("a").label == "guessing - a"


def test_seeds_are_paired():
    # The models differ by 3 points with both seeds, whatever the seeds' own errors.
    evidence = checks.alike("a", "b").evidence(sample(a=[33, 63], b=[30, 60]))
    assert evidence.value == pytest.approx(1, abs=0.01)
    assert evidence.error < 0.05
    assert evidence.freedom == 1


def test_only_common_seeds_count():
    found = Sample({"a": {0: 33, 1: 33, 2: 90}, "b": {0: 30, 1: 30}}, 1000, 90)
    assert found.seeds(("a", "b")) == (0, 1)
    assert checks.alike("a", "b").evidence(found).value == pytest.approx(1, abs=0.01)
    assert found.seeds(("a", "c")) == ()


def test_with_one_seed_the_interval_is_over_test_examples():
    # Around 30 % a margin is 3 points: the errors' variances add.
    evidence = checks.alike("a", "b").evidence(sample(a=[33], b=[30]))
    expected = math.sqrt((0.33 * 0.67 + 0.3 * 0.7) / 1000) / 0.03
    assert evidence.error == pytest.approx(expected, rel=2e-3)
    assert evidence.freedom == math.inf


def test_where_errors_are_small_it_is_the_interval_of_the_odds_ratio():
    # SciPy's sample odds ratio has the interval of Woolf, with half an error added.
    evidence = checks.alike("a", "b").evidence(sample(a=[3], b=[2]))
    table = np.array([[30, 970], [20, 980]]) + 0.5
    ratio = scipy.stats.contingency.odds_ratio(table.astype(int), kind="sample")
    log = math.log(table[0, 0] * table[1, 1] / table[0, 1] / table[1, 0])
    error = math.sqrt((1 / table).sum())
    assert evidence.value == pytest.approx(log / math.log(1.5), rel=1e-3)
    assert evidence.error == pytest.approx(error / math.log(1.5), rel=1e-3)
    assert evidence.value == pytest.approx(
        math.log(ratio.statistic) / math.log(1.5), rel=0.05
    )


def test_more_test_examples_narrow_the_interval_of_one_seed():
    few, many = (
        checks.alike("a", "b").evidence(sample(n, a=[3], b=[2])) for n in (1000, 10_000)
    )
    assert many.error < few.error / 3


@given(st.lists(ERRORS, min_size=1, max_size=4), st.data())
def test_everything_is_finite(a, data):
    b = data.draw(st.lists(ERRORS, min_size=len(a), max_size=len(a)))
    found = sample(a=a, b=b)
    for check in (checks.better("a", "b"), checks.alike("a", "b"), checks.guesses("a")):
        evidence = check.evidence(found)
        assert np.isfinite([evidence.value, *evidence.interval()]).all()
        assert 0 <= evidence.p_above(1) <= 1


def test_guessing_counts_the_hits_of_every_seed():
    found = sample(a=[86.3, 90.0])
    assert checks.learns("a").evidence(found) == Hits((137, 100), 1000, 0.9)
    looked = dataclasses.replace(found, guessing=80, looks=30)
    assert checks.learns("a").evidence(looked) == Hits((137, 100), 1000, 0.8, 30)


def test_replacing_a_model():
    check = checks.no_worse("a", "b").replaced("a", "c")
    assert check.models == ("c", "b")
    assert check.below == 1
    assert checks.learns("a").replaced("a", "c") == checks.learns("c")
