"""Agreement of our errors with printed ones: the rank correlation over models."""

import collections
import dataclasses
import functools
from collections.abc import Iterable, Sequence
from statistics import fmean

import numpy as np
import scipy.stats

from keras_asymbp.benchmarks.results.inference import bootstrap
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import fill, stored
from keras_asymbp.benchmarks.tables.experiments import (
    ALL,
    EXPERIMENTS,
    Column,
    Experiment,
)
from keras_asymbp.benchmarks.tables.plan import Plan, Setup

# With fewer, the correlation can only be 1 or -1.
FEWEST = 3
# With fewer, most resamples have at most three different models.
_FEWEST_FOR_INTERVAL = 5

# A printed error and ours, in percent.
Pair = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Agreement:
    """The agreement of our order of models with a printed one.

    Attributes:
        place: The printed table, or all tables of the paper together.
        models: Number of models that have both errors.
        correlation: Spearman's rank correlation of the errors; None with fewer than
            three models or if one side is constant.
        low: Lower end of its 95 % interval, by the bootstrap over models; None with
            fewer than five, and without a correlation.
        high: Upper end of the interval.
    """

    place: str
    models: int
    correlation: float | None
    low: float | None
    high: float | None


def agreements(
    setup: Setup, store: Store, experiments: Iterable[Experiment] = tuple(ALL.values())
) -> list[Agreement]:
    """The agreement in each printed table, then in all of the paper's together.

    Tables without three models that have both errors are omitted.

    Args:
        setup: The setup.
        store: The store.
        experiments: The experiments with printed tables.
    """
    found: list[Agreement] = []
    of_paper: dict[Column, Pair] = {}
    if len(store.models(setup.common)) < FEWEST:
        return found
    for experiment in experiments:
        columns = tuple(stored(setup, experiment.columns, store))
        pairs = _pairs(fill(Plan(experiment, columns, setup), store))
        if len(pairs) >= FEWEST:
            found.append(agreement(experiment.place, [*pairs.values()]))
        if experiment.name in EXPERIMENTS:
            of_paper |= pairs
    if len(of_paper) >= FEWEST:
        found.append(agreement("all tables of the paper", [*of_paper.values()]))
    return found


def _pairs(row):
    """The pairs by model; a model that is printed twice has the mean of its figures."""
    printed, ours = collections.defaultdict(list), {}
    for column, entry in zip(row.plan.columns, row.entries, strict=True):
        if entry.paper is not None and entry.error is not None:
            printed[column.nameless].append(entry.paper)
            ours[column.nameless] = entry.error
    return {column: (fmean(printed[column]), error) for column, error in ours.items()}


def agreement(place: str, pairs: Sequence[Pair]) -> Agreement:
    """The agreement over pairs of a printed error and ours."""
    correlation = rank_correlation(pairs)
    if correlation is None or len(pairs) < _FEWEST_FOR_INTERVAL:
        return Agreement(place, len(pairs), correlation, None, None)
    return Agreement(place, len(pairs), correlation, *_interval(tuple(pairs)))


@functools.lru_cache
def _interval(pairs):
    """The ends; a paper's only table that has results is all of its tables, too."""
    orders = scipy.stats.rankdata(pairs, method="dense", axis=0) - 1
    ends = bootstrap(tuple(orders.T), _spearman, paired=True)
    return tuple(round(end, 4) for end in ends)


def rank_correlation(pairs: Sequence[Pair]) -> float | None:
    """Spearman's; None with fewer than three pairs or if one side is constant.

    >>> rank_correlation([(1.0, 10.0), (2.0, 30.0), (3.0, 20.0)])
    0.5
    """
    if len(pairs) < FEWEST or any(
        len(set(kind)) == 1 for kind in zip(*pairs, strict=True)
    ):
        return None
    return round(float(scipy.stats.spearmanr(pairs).statistic), 4)


def _spearman(x, y, axis):
    """The correlation of orders along the last axis; 0 where one side is constant."""
    assert axis in (-1, x.ndim - 1)
    x, y = (_ranks(orders) for orders in (x, y))
    x, y = (ranks - ranks.mean(axis=-1, keepdims=True) for ranks in (x, y))
    norms = np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1)
    products = (x * y).sum(axis=-1)
    return np.divide(products, norms, out=np.zeros_like(products), where=norms > 0)


def _ranks(orders):
    """The ranks along the last axis of small whole numbers; equal ones share theirs.

    Counting takes a third of the time of `scipy.stats.rankdata`, which sorts.
    """
    rows = orders.reshape(-1, orders.shape[-1])
    row, kinds = np.arange(len(rows))[:, None], rows.max() + 1
    counts = np.bincount((row * kinds + rows).ravel(), minlength=len(rows) * kinds)
    counts = counts.reshape(len(rows), kinds)
    ranks = counts.cumsum(axis=1) - (counts - 1) / 2
    return ranks[row, rows].reshape(orders.shape)
