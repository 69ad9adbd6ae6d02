"""Comparison of a model with the baseline: paired over seeds, or over test examples."""

import dataclasses
import math
from collections.abc import Mapping

import scipy.stats

from keras_asymbp.benchmarks.results.inference import CONFIDENCE, Student


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A paired comparison: a seed fixes the first weights and the order of the data.

    Attributes:
        difference: The model's error minus the baseline's, in points; mean over the
            pairs.
        low: Lower end of its 95 % interval by Student's t, with one seed by the
            binomial; None if all pairs have the same difference.
        high: Upper end of the interval; None likewise.
        p_value: p of the two-sided paired t-test, not corrected for the number of
            comparisons; None likewise, and with one seed.
        seeds: The seeds of the pairs.
    """

    difference: float
    low: float | None
    high: float | None
    p_value: float | None
    seeds: tuple[int, ...]


def compare(
    errors: Mapping[int, float], baseline: Mapping[int, float]
) -> Comparison | None:
    """Compares errors in percent by seed; None with fewer than two common seeds.

    >>> compare({0: 4.0, 1: 6.0}, {0: 3.0, 1: 3.0, 2: 9.0}).difference
    2.0
    """
    seeds = tuple(sorted(errors.keys() & baseline.keys()))
    if len(seeds) < 2:
        return None
    ours = [errors[seed] for seed in seeds]
    base = [baseline[seed] for seed in seeds]
    # A test split is finite, so equal differences are common; they have no t-test.
    differences = {round(a - b, 9) for a, b in zip(ours, base, strict=True)}
    if len(differences) == 1:
        return Comparison(differences.pop(), None, None, None, seeds)
    test = scipy.stats.ttest_rel(ours, base)
    interval = test.confidence_interval(CONFIDENCE)
    return Comparison(
        float(sum(ours) - sum(base)) / len(seeds),
        float(interval.low),
        float(interval.high),
        float(test.pvalue),
        seeds,
    )


def compare_once(
    errors: Mapping[int, float], baseline: Mapping[int, float], examples: int
) -> Comparison | None:
    """Compares errors in percent of one common seed over test examples.

    The interval is about these two trained networks only: their errors as independent
    binomials, with half an example that keeps them from 0 and 100 %.

    >>> compare_once({0: 30.0}, {0: 10.0}, 1000).seeds
    (0,)

    Args:
        errors: The model's error by seed.
        baseline: The baseline's.
        examples: Number of test examples.

    Returns:
        The comparison; None without exactly one common seed or without test examples.
    """
    seeds = tuple(errors.keys() & baseline.keys())
    if len(seeds) != 1 or examples < 1:
        return None
    (seed,) = seeds
    difference = errors[seed] - baseline[seed]
    shares = [
        (of[seed] / 100 * examples + 0.5) / (examples + 1) for of in (errors, baseline)
    ]
    variance = sum(share * (1 - share) for share in shares) / (examples + 1)
    low, high = Student(difference, 100 * math.sqrt(variance)).interval()
    return Comparison(difference, low, high, None, seeds)
