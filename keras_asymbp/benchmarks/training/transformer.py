"""A transformer that says which symbol comes next, of stock Keras layers."""

import keras

from keras_asymbp.benchmarks.networks import Transformer

# Units between the two layers of a block, in units of its own.
_WIDENED = 4


def compose(
    row: Transformer, input_shape: tuple[int, ...], classes: int, name: str
) -> keras.Model:
    """Composes the model; `build` makes its layers asymmetric.

    Each block adds attention to earlier positions, then two layers at each position,
    to what comes from below; layers are normalized before them. The last position's
    vector becomes the logits.

    Args:
        row: The sizes.
        input_shape: Positions, and the symbols of the one-hot input.
        classes: Number of symbols that can come next.
        name: The model's name.

    Source: Vaswani et al., "Attention Is All You Need", 2017, with the normalization of
    Xiong et al., "On Layer Normalization in the Transformer Architecture", 2020.
    """
    x = inputs = keras.Input(input_shape)
    # The bias of each position says where it is.
    x = keras.layers.EinsumDense(
        "bps,su->bpu", (input_shape[0], row.units), bias_axes="pu", name="embedding"
    )(x)
    for number in range(1, row.blocks + 1):
        y = keras.layers.LayerNormalization(name=f"attention_{number}_norm")(x)
        attention = keras.layers.MultiHeadAttention(
            row.heads, row.units // row.heads, name=f"attention_{number}"
        )
        x = keras.layers.Add()([x, attention(y, y, use_causal_mask=True)])
        y = keras.layers.LayerNormalization(name=f"wide_{number}_norm")(x)
        wide = keras.layers.Dense(_WIDENED * row.units, "relu", name=f"wide_{number}")
        narrow = keras.layers.Dense(row.units, name=f"narrow_{number}")
        x = keras.layers.Add()([x, narrow(wide(y))])
    x = keras.layers.LayerNormalization(name="last_norm")(x[:, -1])
    outputs = keras.layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, outputs, name=name)
