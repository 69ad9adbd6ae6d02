"""Fewer examples of a data set, of every class as many."""

import numpy as np

from keras_asymbp.benchmarks.errors import UsageError


def balanced(labels: np.ndarray, count: int | None) -> np.ndarray:
    """Positions of `count` examples, of every class as many as can be, in their order.

    The first ones of each class are taken; a class that runs out leaves its share to
    the others.

    Raises:
        UsageError: If there are fewer.

    >>> balanced(np.array([7, 7, 7, 3, 3, 5]), 4).tolist()
    [0, 1, 3, 5]
    """
    if count is None:
        return np.arange(len(labels))
    if count > len(labels):
        raise UsageError(
            f"{count} examples are more than the {len(labels)} that there are: ask for "
            f"{len(labels)} or less, or leave it out for all"
        )
    by_class = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(
        labels[by_class], return_index=True, return_counts=True
    )
    # The number of each example within its class: all firsts, then all seconds, ...
    number = np.empty(len(labels), dtype=np.int64)
    number[by_class] = np.arange(len(labels)) - np.repeat(starts, sizes)
    return np.sort(np.argsort(number, kind="stable")[:count])
