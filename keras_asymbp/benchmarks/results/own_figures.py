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
        figures = {model: printed.error(row, model) for model in claim.models}
        errors = {model: error for model, error in figures.items() if error is not None}
        if len(errors) == len(figures):
            known += 1
            guessing = printed.guessing(row)
            passed += all(check.passes(errors, guessing) for check in claim.checks)
    return passed, known


@functools.cache
def could_fail(
    check: Check, row: str | None, scale: Scale = in_margins
) -> tuple[int, int]:
    """Whether an inequality could have failed, by the paper's own figures.

    Each of its models in turn is replaced by each other model of the paper; one that is
    printed twice counts once, with the mean of its figures.

    Args:
        check: The inequality.
        row: The paper's name of the data set; None without one.
        scale: From an error, a share, to margins.

    Returns:
        The number of replacements that fail, and of all.
    """
    errors = {
        column: error
        for (known, column), error in printed.figures().items()
        if known == row
    }
    if not errors.keys() >= set(check.models):
        return 0, 0
    names = collections.defaultdict(list)
    for name in errors:
        names[COLUMNS[name].nameless].append(name)
    for model in check.models:
        names.pop(COLUMNS[model].nameless, None)
    others = {
        alike[0]: fmean(errors[name] for name in alike) for alike in names.values()
    }
    failed = [
        not check.replaced(model, other).passes(
            errors | others, printed.guessing(str(row)), scale
        )
        for model in check.models
        for other in others
    ]
    return sum(failed), len(failed)


def by_points(share: float) -> float:
    """An error, a share, in units of the paper's margin alone: 3 points.

    >>> by_points(0.06)
    2.0
    """
    return share * 100 / POINTS
