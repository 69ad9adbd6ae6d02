import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_asymbp.benchmarks.datasets import checking
from keras_asymbp.benchmarks.errors import UsageError


def numbers(labels):
    return checking.class_numbers("x", "train", np.asarray(labels))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, ">i4", np.uint64])
@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_labels_are_taken_as_class_numbers(dtype, shape):
    """`keras.datasets.cifar10` gives uint8 of shape (n, 1)."""
    taken = numbers(np.array([2, 0, 1], dtype).reshape(shape))
    assert (taken.tolist(), taken.dtype) == ([2, 0, 1], np.int64)


@pytest.mark.parametrize("dtype", [int, float, bool, np.uint8])
def test_one_hot_labels_are_refused_with_their_conversion(dtype):
    one_hot = np.eye(3, dtype=dtype)[[2, 0, 1, 1]]
    with pytest.raises(UsageError, match=r"are one-hot.*labels\.argmax\(axis=1\)"):
        numbers(one_hot)
    assert numbers(one_hot.argmax(axis=1)).tolist() == [2, 0, 1, 1]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([], "training labels of x are missing"),
        (np.zeros((0, 1), int), "are missing"),
        (np.zeros((3, 0), int), "are missing"),
        ([0.0, 1.0], r"are float64 of shape \(2,\): expected class numbers"),
        ([[0.5], [1.0]], r"are float64 of shape \(2,\): expected class numbers"),
        ([True, False], r"are bool of shape \(2,\)"),
        (["a", "b"], r"are <U1 of shape"),
        ([b"a", None], r"are object of shape"),
        ([1j, 0], "are complex128"),
        ([[0, 2], [1, 1]], r"are int64 of shape \(2, 2\)"),
        ([[1, 1], [0, 1]], r"are int64 of shape \(2, 2\)"),
        (np.zeros((2, 1, 1), int), r"of shape \(2, 1, 1\)"),
        (np.int64(3), r"of shape \(\)"),
        ([0, -1], "go from -1 to 0: expected class numbers, counted from 0"),
        (np.array([0, 2**63], np.uint64), "go from 0 to 9223372036854775808"),
    ],
)
def test_other_labels_are_refused_without_a_wrong_advice(labels, words):
    with pytest.raises(UsageError, match=words) as error:
        numbers(labels)
    assert "argmax" not in str(error.value)


@given(hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_side=0, max_dims=3)))
def test_any_labels_are_taken_unchanged_or_refused(labels):
    with contextlib.suppress(UsageError):
        taken = numbers(labels)
        assert (taken.dtype, taken.ndim) == (np.int64, 1)
        assert taken.tolist() == labels.ravel().tolist()
        assert taken.min() >= 0


@pytest.mark.parametrize(
    ("classes", "train", "test", "words"),
    [
        (2, [0, 1, 2], [0], r"labels from 0 to 2: expected 2 classes.*searchsorted"),
        (3, [1, 2, 4, 4], [4], r"labels from 1 to 4: expected 3 classes"),
        (2, [0, 1, 1], [2], r"test examples of 1 class without.*\(2\): add"),
        (9, [3, 3, 3, 3, 3, 3, 3, 3, 3], [3], "all training labels of x are 3: exp"),
        (1, [0, 0], [0], "expected examples of two classes or more"),
        (4, [0, 1, 2], [0], "4 classes and 3 training examples: expected fewer"),
        (3, [2, 0, 1], [0], "3 classes and 3 training examples: expected fewer"),
        (10**9, [0, 1, 5], [0], "1,000,000,000 classes and 3 training examples"),
        (3, [0, 1, 1], [2, 0], r"test examples of 1 class without.*\(2\): add"),
        (9, [0, 1] * 5, range(9), r"of 7 classes.*\(2, 3, 4, 5, 6, \.\.\.\)"),
    ],
)
def test_senseless_classes(classes, train, test, words):
    with pytest.raises(UsageError, match=words):
        checking.check_classes("x", classes, np.array(train), np.array(test))


@given(st.lists(st.integers(0, 99), min_size=2), st.data())
def test_the_advice_numbers_labels_without_gaps(labels, data):
    train = np.array([*labels, *labels])
    test = np.array(data.draw(st.lists(st.sampled_from(labels), min_size=1)))
    classes = np.unique(train)
    if len(classes) < 2:
        return
    renumbered = [np.searchsorted(classes, labels) for labels in (train, test)]
    checking.check_classes("x", len(classes), *renumbered)
    for ours, theirs in zip(renumbered, (train, test), strict=True):
        np.testing.assert_array_equal(classes[ours], theirs)


def test_a_class_may_have_no_examples():
    """EMNIST's letters have 37 classes in TFDS, and labels from 1 to 26."""
    checking.check_classes("x", 5, np.array([1, 2, 3, 3, 1, 2]), np.array([3]))


@pytest.mark.parametrize("found", [(600, 200), (6001, 2000), (2001, 6000)])
def test_other_counts_than_declared(found):
    checking.check_counts("x", None, found)
    checking.check_counts("x", found, found)
    have = f"{found[0]:,} \\+ {found[1]:,}"
    with pytest.raises(
        UsageError, match=rf"x has {have} training and test.*expected 6,000 \+ 2,001;"
    ):
        checking.check_counts("x", (6000, 2001), found)


def check(train, test, one_size=True, counts=None):
    checks = checking.InputChecks("x", one_size)
    for split, batches in (("train", train), ("test", test)):
        count = sum(map(len, batches)) if counts is None else counts
        for ours, theirs in zip(checks(split, batches, count), batches, strict=True):
            assert ours.dtype.isnative
            np.testing.assert_array_equal(ours, theirs)


def images(*shape, dtype=np.uint8):
    return np.zeros(shape, dtype)


def test_images_and_vectors_pass():
    check([images(2, 4, 5, 3), images(1, 4, 5, 3)], [images(3, 4, 5, 3)])
    check([images(1, 4, 5, 1), images(1, 9, 2, 1)], [images(1, 3, 3, 1)], False)
    for dtype in (np.float16, np.float32, np.float64, ">f4"):
        check([images(2, 7, dtype=dtype)], [images(3, 7, dtype=dtype)])


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (images(2, 4, 5, 3, dtype=np.float32), r"float32 of shape \(2, 4, 5, 3\): exp"),
        (images(2, 4, 5, 3, dtype=np.int8), "training inputs of x are int8"),
        (images(2, 4, 5, 4), r"\(2, 4, 5, 4\): expected .*1 or 3 channels"),
        (images(2, 4, 5, 2), "1 or 3 channels"),
        (images(2, 0, 5, 3), r"\(2, 0, 5, 3\)"),
        (images(2, 4, 5), r"uint8 of shape \(2, 4, 5\)"),
        (images(2, 4), r"uint8 of shape \(2, 4\)"),
        (images(2, dtype=np.float32), r"\(2,\)"),
        (images(2, 0, dtype=np.float32), r"\(2, 0\)"),
        (images(2, 4, dtype=complex), "complex128"),
        (images(2, 4, dtype=np.longdouble), "of float16, float32 or float64"),
        (np.array([["a"]]), "<U1"),
        (np.array([[0, np.nan]]), "not finite in float32"),
        (np.array([[-np.inf, 0]], np.float16), "not finite in float32"),
        (np.array([[1e39, 0]]), "not finite in float32"),
    ],
)
def test_other_inputs_are_refused(batch, words):
    with pytest.raises(UsageError, match=words):
        check([batch], [])


@pytest.mark.parametrize(
    ("train", "test", "one_size"),
    [
        (images(1, 4, 5, 3), images(1, 4, 6, 3), True),
        (images(1, 4, 5, 3), images(1, 4, 5, 1), True),
        (images(1, 4, 5, 3), images(1, 4, 5, 1), False),
        (images(1, 4, 5, 3), images(1, 3, dtype=np.float32), False),
        (images(1, 7, dtype=np.float32), images(1, 8, dtype=np.float32), False),
    ],
)
def test_shapes_that_differ(train, test, one_size):
    with pytest.raises(UsageError, match=r"test inputs of x are .*, those before them"):
        check([train], [test], one_size)
    with pytest.raises(UsageError, match=r"training inputs of x are .*, those before"):
        check([train, test], [], one_size)


@pytest.mark.parametrize("count", [0, 2, 4])
def test_a_label_for_each_input(count):
    batches = [images(1, 4, 5, 3), images(2, 4, 5, 3)]
    with pytest.raises(UsageError, match=f"3 training inputs and {count} labels"):
        check(batches, [], counts=count)
