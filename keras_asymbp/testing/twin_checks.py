"""Checks of the twins of a model with one asymmetric layer: the stock one, and back."""

import keras
import numpy as np

from keras_asymbp.conversion import asymmetrize, symmetrize
from keras_asymbp.layers import LAYERS
from keras_asymbp.testing.registry import check
from keras_asymbp.testing.tools import (
    SAMPLES,
    assert_equal,
    fill,
    new_rule,
    own_weights,
    rules_of,
)


@check
def check_conversion(case, rule):
    """`symmetrize` and `asymmetrize` keep the outputs, and the state of all layers."""
    keras.utils.set_random_seed(0)
    adapted, dropout = keras.layers.Normalization(), keras.layers.Dropout(0.5)
    layer = LAYERS[case.layer](**case.arguments, feedback=new_rule(rule))
    inputs = keras.Input(case.shape)
    outputs = layer(*[dropout(adapted(inputs))] * case.inputs)
    model = keras.Model(inputs, outputs)
    fill(own_weights(layer))
    x = np.random.default_rng(0).normal(5, 3, (SAMPLES, *case.shape)).astype("float32")
    adapted.adapt(x)
    model(x, training=True)  # moves the seed
    stock = symmetrize(model)
    twin = asymmetrize(stock, new_rule(rule), print_fn=None)
    assert type(stock.get_layer(layer.name)) is type(layer).twin()
    made = [[type(each) for each in rules_of(part)] for part in (layer, twin)]
    assert made[0] == made[1], f"Expected rules {made[0]}. Received: {made[1]}"
    for training in (False, True):
        expected = model(x, training=training)
        for kind, other in (("stock", stock), ("asymmetric", twin)):
            label = f"the output of the {kind} twin, training={training},"
            assert_equal([other(x, training=training)], [expected], label)
