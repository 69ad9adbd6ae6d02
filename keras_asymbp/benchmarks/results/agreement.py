"""Agreement of our errors with printed ones: the rank correlation over models."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import scipy.stats

from keras_asymbp.benchmarks.results.inference import bootstrap
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import fill, stored
from keras_asymbp.benchmarks.tables.experiments import ALL, EXPERIMENTS, Column
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


def agreements(setup: Setup, store: Store) -> list[Agreement]:
    """The agreement in each printed table, then in all of the paper's together.

    Tables without three models that have both errors are omitted.

    Args:
        setup: The setup.
        store: The store.
    """
    found: list[Agreement] = []
    of_paper: dict[Column, Pair] = {}
    all_columns = [column for e in ALL.values() for column in e.columns]
    if len(set(stored(setup, all_columns, store))) < FEWEST:
        return found
    for experiment in ALL.values():
        columns = tuple(stored(setup, experiment.columns, store))
        pairs = {
            # Table 5 has two models of other tables by another name.
            dataclasses.replace(column, name=""): (entry.paper, entry.error)
            for row in [fill(Plan(experiment, columns, setup), store)]
            for column, entry in zip(columns, row.entries, strict=True)
            if entry.paper is not None and entry.error is not None
        }
        if len(pairs) >= FEWEST:
            found.append(agreement(experiment.place, [*pairs.values()]))
        if experiment.name in EXPERIMENTS:
            of_paper |= pairs
    if len(of_paper) >= FEWEST:
        found.append(agreement("all tables of the paper", [*of_paper.values()]))
    return found


def agreement(place: str, pairs: Sequence[Pair]) -> Agreement:
    """The agreement over pairs of a printed error and ours."""
    correlation = rank_correlation(pairs)
    if correlation is None or len(pairs) < _FEWEST_FOR_INTERVAL:
        return Agreement(place, len(pairs), correlation, None, None)
    ends = bootstrap(tuple(np.asarray(pairs, float).T), _spearman, paired=True)
    low, high = (round(end, 4) for end in ends)
    return Agreement(place, len(pairs), correlation, low, high)


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
    """The correlation along an axis; 0 where one side is constant, without an order."""
    x, y = (scipy.stats.rankdata(values, axis=axis) for values in (x, y))
    x, y = (values - values.mean(axis=axis, keepdims=True) for values in (x, y))
    norms = np.linalg.norm(x, axis=axis) * np.linalg.norm(y, axis=axis)
    products = (x * y).sum(axis=axis)
    return np.divide(products, norms, out=np.zeros_like(products), where=norms > 0)
