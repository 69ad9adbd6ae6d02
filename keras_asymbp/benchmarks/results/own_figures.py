"""The claims on the paper's own printed figures, taken as exact."""

import collections
import functools
from statistics import fmean

from keras_asymbp.benchmarks.results.checks import Check, Scale
from keras_asymbp.benchmarks.results.claims import COLUMNS, Claim
from keras_asymbp.benchmarks.results.margin import POINTS, in_margins
from keras_asymbp.benchmarks.tables import printed


@functools.cache
def papers(claim: Claim) -> tuple[int, int]:
    """Number of the paper's data sets that pass the check, and that have figures."""
    passed = known = 0
    for row in printed.CLASSES:
        errors = _figures(row)
        if errors.keys() >= set(claim.models):
            known += 1
            guessing = printed.guessing(row)
            passed += all(check.passes(errors, guessing) for check in claim.checks)
    return passed, known


@functools.cache
def could_fail(
    check: Check, row: str | None, scale: Scale = in_margins
) -> tuple[int, int]:
    """Whether an inequality could have failed, by the paper's own figures.

    Each of its models in turn is replaced by each other model of the paper; one of
    several names counts once.

    Args:
        check: The inequality.
        row: The paper's name of the data set; None without one.
        scale: From an error, a share, to margins.

    Returns:
        The number of replacements that fail, and of all.
    """
    errors = _figures(row)
    if not errors.keys() >= set(check.models):
        return 0, 0
    compared = {COLUMNS[model].nameless for model in check.models}
    others = {COLUMNS[name].nameless: name for name in errors}
    failed = [
        not check.replaced(model, other).passes(
            errors, printed.guessing(str(row)), scale
        )
        for model in check.models
        for column, other in others.items()
        if column not in compared
    ]
    return sum(failed), len(failed)


@functools.cache
def _figures(row):
    """The printed errors by model; one that is printed twice has the mean of both."""
    errors = {name: e for (known, name), e in printed.figures().items() if known == row}
    alike = collections.defaultdict(list)
    for name, error in errors.items():
        alike[COLUMNS[name].nameless].append(error)
    return {name: fmean(alike[COLUMNS[name].nameless]) for name in errors}


def by_points(share: float) -> float:
    """An error, a share, in units of the paper's margin alone: 3 points.

    >>> by_points(0.06)
    2.0
    """
    return share * 100 / POINTS
