"""Paired comparison of a model with the baseline over their common seeds."""

import dataclasses
from collections.abc import Mapping

import scipy.stats

from keras_asymbp.benchmarks.results.inference import CONFIDENCE


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A paired comparison: a seed fixes the first weights and the order of the data.

    Attributes:
        difference: The model's error minus the baseline's, in points; mean over the
            pairs.
        low: Lower end of its 95 % interval by Student's t; None if all pairs have the
            same difference.
        high: Upper end of the interval; None likewise.
        p_value: p of the two-sided paired t-test, not corrected for the number of
            comparisons; None likewise.
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
