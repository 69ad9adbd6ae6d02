"""The sums are those of all batches together."""

import numpy as np
import pytest

from keras_asymbp.diagnostics import effective_rank
from keras_asymbp.diagnostics.sums import ErrorSums

RNG = np.random.default_rng(0)


def test_batches_together():
    sums = ErrorSums()
    assert not sums.called
    # Of another number of rows each; of rank 3 of 5.
    scales = np.geomspace(1e-9, 1, 3)[:, None] * RNG.normal(size=(3, 5))
    parts = [RNG.normal(size=(2, rows, 3)) @ scales for rows in (2, 40, 7, 300)]
    n = [RNG.normal(size=(rows, 5)).astype("float32") for rows in (2, 40, 7)]
    for part in parts:
        sums.add(*part)
    sums.add(None, None)
    for each in n:
        sums.add_preactivations(each)
    assert sums.called
    e, bp = np.concatenate(parts, axis=1)
    norm = np.linalg.norm
    assert sums.measures() == pytest.approx(
        {
            "preactivation_rms": np.sqrt(np.mean(np.concatenate(n) ** 2)),
            "error_rms": np.sqrt(np.mean(e**2)),
            "bp_error_rms": np.sqrt(np.mean(bp**2)),
            "error_cosine": np.sum(e * bp) / norm(e) / norm(bp),
            "error_norm_ratio": norm(e) / norm(bp),
            "error_effective_rank": effective_rank(e),
            "bp_error_effective_rank": effective_rank(bp),
        },
        rel=1e-6,
    )
    # Of all batches but the last, as much as a square matrix is kept.
    assert max(len(factor) for factor in sums._factors) == 5 + 300


def test_undefined_measures():
    sums = ErrorSums()
    sums.add_preactivations(np.ones((1, 2)))
    sums.add(np.ones((1, 2)), np.zeros((1, 2)))
    measures = sums.measures()
    assert (measures["error_rms"], measures["bp_error_rms"]) == (1, 0)
    for name in ("error_cosine", "error_norm_ratio", "bp_error_effective_rank"):
        assert np.isnan(measures[name])


def test_empty_batches_have_no_measures():
    sums = ErrorSums()
    sums.add_preactivations(np.ones((0, 2)))
    sums.add(np.ones((0, 2)), np.ones((0, 2)))
    assert all(map(np.isnan, sums.measures().values()))
