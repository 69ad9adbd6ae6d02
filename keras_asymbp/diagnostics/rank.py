"""How many directions a matrix spans."""

import numpy as np
from keras.ops import convert_to_numpy


def effective_rank(matrix) -> float:
    """Returns the effective rank of a matrix: between 1 and its rank.

    `exp(-sum_i p_i ln p_i)` with `p_i = s_i / sum_j s_j`, of the singular values s.
    With k equal singular values, and all others 0, it is k.

    Args:
        matrix (tensor): A matrix of floats.

    Returns:
        The effective rank; NaN for a matrix of zeros, or with a value that isn't
        finite.

    Raises:
        ValueError: If it isn't a matrix.

    >>> round(effective_rank([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), 6)
    2.0
    >>> round(effective_rank([[1.0, 0.0, 0.0], [0.0, 0.001, 0.0]]), 2)
    1.01

    Source: Roy and Vetterli, "The Effective Rank: A Measure of Effective
    Dimensionality", EUSIPCO 2007.
    """
    matrix = np.asarray(convert_to_numpy(matrix), np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"Expected a matrix. Received: shape {matrix.shape}")
    size = np.max(np.abs(matrix), initial=0.0)
    if not np.isfinite(size) or size == 0:
        return float("nan")
    values = _singular_values(matrix / size)
    shares = values / values.sum()
    shares = shares[shares > 0]
    return float(np.exp(-np.sum(shares * np.log(shares))))


def _singular_values(matrix):
    """By the smaller of the two Gram matrices, as errors have many rows."""
    if matrix.shape[0] < matrix.shape[1]:
        matrix = matrix.T
    squares = np.linalg.eigvalsh(matrix.T @ matrix)
    # Eigenvalues that are 0 but for rounding.
    squares[squares < squares[-1] * len(squares) * np.finfo(float).eps] = 0
    return np.sqrt(squares)
