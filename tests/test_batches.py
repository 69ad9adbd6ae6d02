"""Batches for a measurement are a list of tuples, or refused in one sentence."""

import keras
import numpy as np
import pytest

import keras_asymbp
from keras_asymbp import _batches
from keras_asymbp.diagnostics import diagnose, similarity

X, Y = np.ones((4, 3)), np.ones((4, 2))


def test_batches_are_listed():
    batches = [(X, Y), [X, Y, np.ones(4)]]
    assert _batches.checked(iter(batches)) == batches
    assert _batches.checked([(X,)], least=1) == [(X,)]


def test_no_batches_are_refused():
    with pytest.raises(ValueError, match="must have a batch"):
        _batches.checked(iter([]))


@pytest.mark.parametrize(
    ("batches", "received"),
    [
        ((X, Y), "ndarray"),
        (X, "ndarray"),
        ([(X,)], "tuple of 1"),
        ([[X, Y, Y, Y]], "list of 4"),
        ([{"x": X}], "dict"),
        (5, "int"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_batch_is_refused(batches, received):
    with pytest.raises(ValueError, match=rf"`\[\(x, y\)\]`.*Received: {received}$"):
        _batches.checked(batches)


def test_all_that_measure_check_them():
    layer = keras_asymbp.AsymDense(2)
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile("sgd", "mse")
    for measure in (
        lambda: keras_asymbp.AlignmentMonitor((X, Y)),
        lambda: keras_asymbp.metrics.gradient_angles(model, (X, Y)),
        lambda: diagnose(model, (X, Y)),
        lambda: similarity(model, model, (X, Y)),
    ):
        with pytest.raises(ValueError, match="Received: ndarray"):
            measure()
