import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.datasets.cutting import balanced
from keras_asymbp.benchmarks.errors import UsageError


@pytest.mark.parametrize(
    ("labels", "count", "expected"),
    [
        ([0, 0, 0, 1, 1, 1], 4, [0, 1, 3, 4]),
        ([1, 0, 1, 0, 1, 0], 2, [0, 1]),
        ([0, 0, 0, 0, 1, 2], 5, [0, 1, 2, 4, 5]),  # two classes run out
        ([2, 2, 1, 1, 0, 0], 4, [0, 2, 4, 0]),  # the remainder goes to one class
        ([5, 9], 2, [0, 1]),
        ([5, 9], None, [0, 1]),
    ],
)
def test_balanced(labels, count, expected):
    found = balanced(np.array(labels), count)
    if len(set(expected)) < len(expected):
        per_class = np.bincount(np.array(labels)[found])
        assert len(found) == count
        assert per_class.max() - per_class.min() <= 1
    else:
        assert found.tolist() == expected


@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=60),
    data=st.data(),
)
def test_balanced_is_as_balanced_as_possible(labels, data):
    labels = np.array(labels)
    count = data.draw(st.integers(1, len(labels)))
    found = balanced(labels, count)
    assert len(set(found)) == count
    assert (np.diff(found) > 0).all()
    have, taken = np.bincount(labels), np.bincount(labels[found], minlength=5)
    for label in range(len(have)):
        # A class gives fewer than another only if it has no more.
        if taken[label] < taken.max() - 1:
            assert taken[label] == have[label]
        chosen = found[labels[found] == label]
        first = np.flatnonzero(labels == label)[: len(chosen)]
        np.testing.assert_array_equal(chosen, first)


def test_more_examples_than_available():
    with pytest.raises(UsageError, match="4 examples are more than the 3 available"):
        balanced(np.array([0, 1, 1]), 4)
