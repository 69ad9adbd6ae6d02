"""The measures of a layer's error, from one batch after another."""

from typing import Any

import numpy as np

from keras_asymbp.diagnostics.rank import effective_rank


class ErrorSums:
    """Sums over the errors E and E' that arrive at a layer, and over its N.

    Their memory doesn't grow with the number of batches.

    Attributes:
        called: Whether the layer was called, so that it has an error.
    """

    def __init__(self) -> None:
        self.called = False
        self._n, self._n_size = 0.0, 0
        self._products: Any = np.zeros((2, 2))
        self._size = 0
        self._factors: list[Any] = [None, None]

    def add_preactivations(self, n: Any) -> None:
        """Adds the pre-activations of a call."""
        self._n += float(np.sum(np.square(n, dtype=np.float64)))
        self._n_size += n.size

    def add(self, error: Any, bp_error: Any) -> None:
        """Adds the errors of a batch: matrices, or None if the layer wasn't called."""
        if error is None:
            return
        self.called = True
        pair = error, bp_error
        self._products += [[np.vdot(a, b) for a in pair] for b in pair]
        self._size += error.size
        self._factors = [
            rows if factor is None else np.concatenate([_factor(factor), rows])
            for factor, rows in zip(self._factors, pair, strict=True)
        ]

    def measures(self) -> dict[str, float]:
        """Returns the measures, by their names in `diagnose`."""
        own, bp = np.sqrt(np.diag(self._products))
        with np.errstate(divide="ignore", invalid="ignore"):
            cosine, ratio = self._products[0, 1] / own / bp, own / bp
            # Batches may be empty.
            n_rms = np.sqrt(np.divide(self._n, self._n_size))
            own_rms, bp_rms = (np.divide(x, np.sqrt(self._size)) for x in (own, bp))
        rank, bp_rank = map(effective_rank, self._factors)
        return {
            "preactivation_rms": float(n_rms),
            "error_rms": float(own_rms),
            "bp_error_rms": float(bp_rms),
            "error_cosine": float(np.clip(cosine, -1, 1)),
            "error_norm_ratio": float(np.nan if bp == 0 else ratio),
            "error_effective_rank": rank,
            "bp_error_effective_rank": bp_rank,
        }


def _factor(matrix):
    """Returns a matrix of no more rows than columns, with the same singular values."""
    rows, columns = matrix.shape
    return np.linalg.qr(matrix, mode="r") if rows > columns else matrix
