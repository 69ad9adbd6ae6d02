"""Intervals and p-values of effects, and the correction for their number.

An effect is a number with an uncertainty. Both kinds here answer the same questions:
its 95 % interval, and the one-sided p-values of "greater than" and "less than".
"""

import dataclasses
import functools
import math
import statistics
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import scipy.stats

from keras_asymbp.benchmarks.results.margin import in_margins, share_at

CONFIDENCE = 0.95
# Of the bootstrap: equal results have equal intervals.
_RESAMPLES = 9_999
_BATCH = 1_000  # resamples at a time: more do not fit a processor's cache
_SEED = 0


class Evidence(Protocol):
    """An estimated effect with its uncertainty."""

    @property
    def value(self) -> float:
        """The estimate."""

    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""

    def p_above(self, bound: float) -> float:
        """p of the effect being at most the bound; small if it is greater."""

    def p_below(self, bound: float) -> float:
        """p of the effect being at least the bound; small if it is less."""


@dataclasses.dataclass(frozen=True)
class Student:
    """An estimate with a standard error.

    Attributes:
        value: The estimate.
        error: Its standard error, positive.
        freedom: Degrees of freedom; infinite for a normal distribution.
    """

    value: float
    error: float
    freedom: float = math.inf

    @classmethod
    def over_seeds(cls, effects: Sequence[float], resolution: float) -> "Student":
        """The mean of an effect over two or more seeds; a one-sample t.

        Args:
            effects: The effect with each seed.
            resolution: The least standard deviation between seeds. Test splits are
                finite, so that seeds may agree exactly without being without spread.
        """
        spread = max(statistics.stdev(effects), resolution)
        count = len(effects)
        return cls(statistics.fmean(effects), spread / math.sqrt(count), count - 1)

    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""
        reach = self.error * _quantile(self.freedom)
        return self.value - reach, self.value + reach

    def p_above(self, bound: float) -> float:
        """p of the effect being at most the bound."""
        return float(scipy.stats.t.sf((self.value - bound) / self.error, self.freedom))

    def p_below(self, bound: float) -> float:
        """p of the effect being at least the bound."""
        return float(scipy.stats.t.cdf((self.value - bound) / self.error, self.freedom))


@functools.cache
def _quantile(freedom):
    """Half the width of Student's 95 % interval, in standard errors."""
    return float(scipy.stats.t.ppf((1 + CONFIDENCE) / 2, freedom))


@dataclasses.dataclass(frozen=True)
class Hits:
    """Numbers of correct examples against an error of reference.

    Attributes:
        correct: The number with each seed.
        examples: The number of examples.
        reference: The error that the effect is measured from, a share.
        looks: Of how many numbers each is the greatest, whose ps of being greater are
            multiplied by it.
    """

    correct: tuple[int, ...]
    examples: int
    reference: float
    looks: int = 1

    @property
    def value(self) -> float:
        """The reference minus the mean error, in margins."""
        return self._effect(1 - statistics.fmean(self.correct) / self.examples)

    def interval(self) -> tuple[float, float]:
        """From the least to the greatest end of each seed's Clopper-Pearson."""
        ends = [
            self._effect(1 - hit)
            for count in self.correct
            for hit in scipy.stats.binomtest(count, self.examples).proportion_ci(
                CONFIDENCE
            )
        ]
        return min(ends), max(ends)

    def p_above(self, bound: float) -> float:
        """p of the effect being at most the bound, the largest of all seeds."""
        return min(1.0, self.looks * self._largest_p(bound, "greater"))

    def p_below(self, bound: float) -> float:
        """p of the effect being at least the bound, the largest of all seeds."""
        return self._largest_p(bound, "less")

    def _largest_p(self, bound, alternative):
        hit = 1 - share_at(in_margins(self.reference) - bound)
        return max(
            float(scipy.stats.binomtest(count, self.examples, hit, alternative).pvalue)
            for count in self.correct
        )

    def _effect(self, share):
        half = 0.5 / (self.examples + 1)
        return in_margins(self.reference) - in_margins(min(max(share, half), 1 - half))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusts p-values for their number by Holm's step-down method (1979).

    The k-th smallest of m is multiplied by m - k + 1; none is less than one that was
    smaller before, and none exceeds 1.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    least = 0.0
    order = sorted(range(len(p_values)), key=lambda number: p_values[number])
    for rank, number in enumerate(order):
        least = max(least, min(1.0, (len(order) - rank) * p_values[number]))
        adjusted[number] = least
    return adjusted


def bootstrap(
    samples: Sequence[np.ndarray], statistic: Callable[..., np.ndarray], paired: bool
) -> tuple[float, float]:
    """The 95 % interval of a statistic by the percentile bootstrap, with a fixed seed.

    Args:
        samples: Samples of two numbers or more.
        statistic: A function of the samples and `axis`.
        paired: Whether samples are resampled together, or each by itself.
    """
    interval = scipy.stats.bootstrap(
        samples,
        statistic,
        paired=paired,
        vectorized=True,
        n_resamples=_RESAMPLES,
        batch=_BATCH,
        confidence_level=CONFIDENCE,
        # BCa's interval is undefined where leaving out a number changes nothing.
        method="percentile",
        random_state=np.random.default_rng(_SEED),
    ).confidence_interval
    return float(interval.low), float(interval.high)
