"""Comparisons of models across data sets, by the methods of rliable.

Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice"
(NeurIPS 2021): the interquartile mean of normalized scores, and the probability that a
model is better than the baseline, with intervals by the stratified bootstrap, which
resamples the seeds of each data set by themselves.
"""

import collections
import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import scipy.stats

from keras_asymbp.benchmarks.results.claims import COLUMNS
from keras_asymbp.benchmarks.results.inference import bootstrap
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import errors as errors_of
from keras_asymbp.benchmarks.tables.labels import labels
from keras_asymbp.benchmarks.tables.plan import Setup

_BASELINE = "SGD"
# With fewer seeds the bootstrap's intervals are far too narrow.
_FEWEST_FOR_INTERVAL = 5
# Share cut from each end by the interquartile mean.
_QUARTER = 0.25


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A statistic with its 95 % interval.

    Attributes:
        value: The statistic.
        interval: Its interval; None unless each data set has five seeds.
    """

    value: float
    interval: tuple[float, float] | None


@dataclasses.dataclass(frozen=True)
class Aggregate:
    """A model over several data sets.

    Attributes:
        model: The model.
        datasets: Names of the data sets on which it and the baseline have results.
        error: Interquartile mean, over data sets and seeds, of the error in percent of
            the error of guessing.
        improvement: Probability that it has a lower error than SGD with another seed,
            the mean over data sets; equal errors count as half. None for SGD.
    """

    model: str
    datasets: tuple[str, ...]
    error: Estimate
    improvement: Estimate | None


def aggregates(setups: Sequence[Setup], store: Store) -> list[list[Aggregate]]:
    """For each protocol with several data sets, the models that all of them have.

    Args:
        setups: The setups.
        store: The store.
    """
    groups = collections.defaultdict(list)
    for setup in setups:
        groups[setup.regime, setup.preset].append(setup)
    found = (
        _models(group, store)
        for group in groups.values()
        if len({setup.dataset.name for setup in group}) > 1
    )
    return [of_group for of_group in found if of_group]


def aggregate(
    model: str,
    datasets: tuple[str, ...],
    errors: Sequence[Sequence[float]],
    baseline: Sequence[Sequence[float]],
) -> Aggregate:
    """Aggregates a model.

    Args:
        model: The model.
        datasets: Names of the data sets.
        errors: For each data set, the model's error with each seed, in percent of the
            error of guessing.
        baseline: The same of the baseline.
    """
    improvement = None
    if model != _BASELINE:
        improvement = _estimate(_improvement, (*errors, *baseline))
    return Aggregate(model, datasets, _estimate(_mean, errors), improvement)


def _models(setups, store):
    by_model = {
        model: [_shares(setup, column, store) for setup in setups]
        for model, column in COLUMNS.items()
    }
    complete = {model: errors for model, errors in by_model.items() if all(errors)}
    if _BASELINE not in complete:
        return []
    names = labels(setups)
    return [
        aggregate(model, names, errors, complete[_BASELINE])
        for model, errors in complete.items()
    ]


def _shares(setup, column, store):
    errors = errors_of(setup, column, store).values()
    return [100 * error / setup.guessing for error in errors]


def _estimate(statistic: Callable[..., np.ndarray], samples):
    # A data set with more seeds would have more weight.
    fewest = min(map(len, samples))
    samples = tuple(np.asarray(sample[:fewest], float) for sample in samples)
    value = float(statistic(*samples, axis=-1))
    if fewest < _FEWEST_FOR_INTERVAL:
        return Estimate(value, None)
    # Samples are resampled independently of each other: this is the stratification.
    return Estimate(value, bootstrap(samples, statistic, paired=False))


def _mean(*samples, axis):
    return scipy.stats.trim_mean(np.concatenate(samples, axis=axis), _QUARTER, axis)


def _improvement(*samples, axis):
    """Mean over data sets of P(model < baseline) + P(equal) / 2."""
    half = len(samples) // 2
    shares = []
    for ours, base in zip(samples[:half], samples[half:], strict=True):
        ours = np.moveaxis(ours, axis, -1)[..., :, np.newaxis]
        base = np.moveaxis(base, axis, -1)[..., np.newaxis, :]
        wins = (ours < base) + 0.5 * (ours == base)
        shares.append(wins.mean(axis=(-2, -1)))
    return np.mean(shares, axis=0)
