"""Activations come back, and units are the columns of a layer's matrix."""

import keras
import numpy as np
import pytest

from keras_asymbp.diagnostics import diagnose
from keras_asymbp.diagnostics.taps import as_matrix, tapped


def test_activations_come_back_after_an_error():
    layers = [keras.layers.Dense(2, "relu"), keras.layers.Dense(2)]
    layers[1].activation = None
    with pytest.raises(ZeroDivisionError), tapped(layers, lambda *_: 1 / 0):
        layers[0](np.ones((1, 3)))
    assert [layer.activation for layer in layers] == [keras.activations.relu, None]


def test_vectorized_layers_are_refused():
    class Vectorized(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)
            self.dense.build((None, 3))

        def call(self, x):
            return keras.ops.vectorized_map(lambda row: self.dense(row[None])[0], x)

    model = keras.Sequential([keras.Input((3,), batch_size=4), Vectorized()])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="vectorized or compiled"):
        diagnose(model, [(np.ones((4, 3)), np.ones((4, 2)))])


@pytest.mark.parametrize(
    ("layer", "shape", "units"),
    [
        (keras.layers.Dense(4), (2, 3, 4), (2,)),
        (keras.layers.Conv2D(4, 1), (2, 3, 5, 4), (3,)),
        (keras.layers.Conv1D(4, 1, data_format="channels_first"), (2, 4, 3), (1,)),
        (keras.layers.EinsumDense("abc,cde->abde", (None, 4, 5)), (2, 3, 4, 5), (2, 3)),
        (keras.layers.EinsumDense("...x,xy->...y", 4), (2, 3, 4), (2,)),
        (keras.layers.EinsumDense("x...,xy -> y...", 4), (4, 3, 2), (0,)),
        (keras.layers.EinsumDense("abc,cd->adb", (4, None)), (2, 4, 3), (1,)),
    ],
)
def test_columns_are_units(layer, shape, units):
    # The values are the numbers of units, the same in each row.
    counts = [shape[axis] for axis in units]
    values = np.arange(np.prod(counts)).reshape(
        [size if axis in units else 1 for axis, size in enumerate(shape)]
    )
    matrix = as_matrix(layer, np.broadcast_to(values, shape))
    assert matrix.shape == (np.prod(shape) // np.prod(counts), np.prod(counts))
    np.testing.assert_array_equal(matrix, [matrix[0]] * len(matrix))
    np.testing.assert_array_equal(matrix[0], np.arange(np.prod(counts)))
