import keras
import pytest

from benchmarks.speed import search_cost


@pytest.mark.parametrize("normalization", [None, "BN"])
def test_the_plain_side_is_of_kerass_own_layers(normalization):
    model = search_cost.stock("mnist", normalization)
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    normalizations = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert len(normalizations) == (3 if normalization else 0)
    # As in ours, there is nothing to learn in them.
    assert len(model.trainable_variables) == 8
