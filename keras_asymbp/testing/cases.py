"""The table of layers, one line each."""

import dataclasses
from collections.abc import Callable
from typing import Any

from keras_asymbp.testing.references import depthwise_and_pointwise, projections, single


@dataclasses.dataclass(frozen=True)
class Case:
    """How the checks create and call a layer.

    Attributes:
        layer: The layer's name, one of `keras_asymbp.layers.LAYERS`.
        arguments: Its arguments.
        shape: The shape of an input, without the batch dimension.
        inputs: Number of inputs of a call.
        reference: Function of a built layer that returns a function of its inputs, made
            of stock Keras layers, whose error travels through the layer's V, and that
            function's weights in the layer's order.
    """

    layer: str
    arguments: dict[str, Any]
    shape: tuple[int, ...]
    inputs: int = 1
    reference: Callable = single


_CONV: dict[str, Any] = {"kernel_size": 2, "activation": "tanh"}

CASES = {
    case.layer: case
    for case in [
        Case("AsymConv1D", {"filters": 3, **_CONV, "padding": "causal"}, (4, 2)),
        Case("AsymConv2D", {"filters": 3, **_CONV}, (4, 4, 2)),
        Case("AsymConv2DTranspose", {"filters": 2, **_CONV, "strides": 2}, (2, 2, 3)),
        Case("AsymConv3D", {"filters": 2, **_CONV}, (3, 3, 3, 2)),
        Case("AsymDense", {"units": 3, "activation": "tanh"}, (4,)),
        Case("AsymDepthwiseConv2D", {**_CONV, "depth_multiplier": 2}, (3, 3, 2)),
        Case(
            "AsymEinsumDense",
            {"equation": "abc,cd->abd", "output_shape": (2, 3), "bias_axes": "d"},
            (2, 4),
        ),
        Case(
            "AsymMultiHeadAttention",
            {"num_heads": 2, "key_dim": 3},
            (3, 4),
            inputs=2,
            reference=projections,
        ),
        Case(
            "AsymSeparableConv2D",
            {"filters": 3, **_CONV, "depth_multiplier": 2},
            (3, 3, 2),
            reference=depthwise_and_pointwise,
        ),
    ]
}
