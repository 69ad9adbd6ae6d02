"""The effective rank of matrices whose singular values are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_asymbp.diagnostics import effective_rank


def orthonormal(generator, rows, columns):
    return np.linalg.qr(generator.normal(size=(rows, columns)))[0]


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 5),
    st.integers(5, 30),
    st.integers(5, 30),
    st.floats(1e-30, 1e30),
    st.integers(0, 2**32 - 1),
)
def test_k_equal_singular_values(k, rows, columns, scale, seed):
    generator = np.random.default_rng(seed)
    left, right = (orthonormal(generator, n, k) for n in (rows, columns))
    assert effective_rank(scale * left @ right.T) == pytest.approx(k, rel=1e-5)


@pytest.mark.parametrize("shape", [(40, 7), (7, 40)])
def test_any_singular_values(shape):
    matrix = np.random.default_rng(0).normal(size=shape)
    shares = np.linalg.svd(matrix, compute_uv=False)
    shares /= shares.sum()
    expected = np.prod(shares**-shares)
    assert effective_rank(matrix) == pytest.approx(expected, rel=1e-9)


def test_no_rank():
    assert np.isnan(effective_rank(np.zeros((3, 2))))
    assert np.isnan(effective_rank([[1.0, np.nan]]))
    assert np.isnan(effective_rank([[1.0, np.inf]]))
    with pytest.raises(ValueError, match=r"Expected a matrix.*\(2,\)"):
        effective_rank([1.0, 2.0])
