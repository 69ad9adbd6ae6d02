"""Class-balanced subsets of a data set."""

import numpy as np

from keras_asymbp.benchmarks.errors import UsageError


def balanced(labels: np.ndarray, count: int | None) -> np.ndarray:
    """Positions of `count` examples, balanced across classes, in rising order.

    The first examples of each class are taken; the share of a class that runs out goes
    to the others.

    Args:
        labels: Class of each example (n,).
        count: Number of examples; None for all.

    Raises:
        UsageError: If there are fewer than `count` examples.

    >>> balanced(np.array([7, 7, 7, 3, 3, 5]), 4).tolist()
    [0, 1, 3, 5]
    """
    if count is None:
        return np.arange(len(labels))
    if count > len(labels):
        raise UsageError(
            f"{count} examples are more than the {len(labels)} available: ask for "
            f"{len(labels)} or fewer, or leave it out to use all"
        )
    by_class = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(
        labels[by_class], return_index=True, return_counts=True
    )
    # Sorted by rank within the class: the first of each class, then the second, ...
    rank = np.empty(len(labels), dtype=np.int64)
    rank[by_class] = np.arange(len(labels)) - np.repeat(starts, sizes)
    return np.sort(np.argsort(rank, kind="stable")[:count])
