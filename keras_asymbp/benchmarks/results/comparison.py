"""How far a model is from the baseline, over the seeds that both have."""

import dataclasses
from collections.abc import Mapping

import scipy.stats

_CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A paired comparison: a seed is the same start and the same order of the data.

    Attributes:
        difference: The model's error minus the baseline's, in points, mean of the
            pairs.
        low: Lower end of its 95 % interval by Student's t; None where the pairs do not
            differ among each other.
        high: Upper end.
        p_value: Of the paired t-test, two-sided; not corrected for the number of
            comparisons.
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
    """Compares errors in percent by seed; None with less than two seeds in common.

    >>> compare({0: 4.0, 1: 6.0}, {0: 3.0, 1: 3.0, 2: 9.0}).difference
    2.0
    """
    seeds = tuple(sorted(errors.keys() & baseline.keys()))
    if len(seeds) < 2:
        return None
    ours = [errors[seed] for seed in seeds]
    base = [baseline[seed] for seed in seeds]
    # A test size is finite: equal differences are common, and no t-test is of them.
    differences = {round(a - b, 9) for a, b in zip(ours, base, strict=True)}
    if len(differences) == 1:
        return Comparison(differences.pop(), None, None, None, seeds)
    test = scipy.stats.ttest_rel(ours, base)
    interval = test.confidence_interval(_CONFIDENCE)
    return Comparison(
        float(sum(ours) - sum(base)) / len(seeds),
        float(interval.low),
        float(interval.high),
        float(test.pvalue),
        seeds,
    )
