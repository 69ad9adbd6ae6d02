"""Stock Keras layers whose error travels through a given V.

With sg, which stops the gradient, y = f(sg(x), W) + f(x, V) - sg(f(x, V)) has the value
of f(x, W) (the last two terms cancel), the gradient of f(x, W) in W, and that of
f(x, V) in x.
"""

import keras
from keras import ops

from keras_asymbp.layers import asymmetric_layers
from keras_asymbp.testing.tools import own_weights, stock_twin


def _through(forward, backward):
    def function(x):
        detour = backward(x)
        return forward(ops.stop_gradient(x)) + (detour - ops.stop_gradient(detour))

    return function


def single(layer):
    """Returns the reference of a layer with one product, and its weights."""
    [(attribute, _, v)] = layer.feedback_pairs()
    forward = stock_twin(layer, activation="linear")
    backward = stock_twin(layer, activation="linear")
    getattr(backward, attribute).assign(v)
    product = _through(forward, backward)
    return (lambda x: layer.activation(product(x))), forward.weights


def depthwise_and_pointwise(layer):
    """Returns the reference of AsymSeparableConv2D: two stock convolutions."""
    kernels = [kernel for _, kernel, _ in layer.feedback_pairs()]
    feedback_kernels = [v for *_, v in layer.feedback_pairs()]
    shared = {
        "data_format": layer.data_format,
        "dtype": layer.dtype_policy,
    }

    def depthwise(kernel):
        stock = keras.layers.DepthwiseConv2D(
            layer.kernel_size,
            strides=layer.strides,
            padding=layer.padding,
            depth_multiplier=layer.depth_multiplier,
            dilation_rate=layer.dilation_rate,
            use_bias=False,
            **shared,
        )
        stock.build_from_config(layer.get_build_config())
        stock.kernel.assign(kernel)
        return stock

    def pointwise(kernel):
        stock = keras.layers.Conv2D(layer.filters, 1, use_bias=layer.use_bias, **shared)
        axis = 1 if layer.data_format == "channels_first" else 3
        shape = [None] * 4
        shape[axis] = kernel.shape[2]
        stock.build(tuple(shape))
        stock.kernel.assign(kernel)
        if layer.use_bias:
            stock.bias.assign(layer.bias)
        return stock

    stages = [
        (make(kernel), make(v))
        for make, kernel, v in zip(
            (depthwise, pointwise), kernels, feedback_kernels, strict=True
        )
    ]
    first, second = (_through(*stage) for stage in stages)
    weights = [weight for forward, _ in stages for weight in forward.weights]
    return (lambda x: layer.activation(second(first(x)))), weights


def projections(layer):
    """Returns that of AsymMultiHeadAttention: stock, with `single` projections."""
    stock = stock_twin(layer)
    references = {
        id(part): single(part) for part in asymmetric_layers(layer) if part is not layer
    }
    for name, part in vars(layer).items():
        if id(part) in references:
            # A function is enough: the stock layer just calls its projections.
            setattr(stock, name, references[id(part)][0])
    by_weight = {
        id(ours): theirs
        for part in asymmetric_layers(layer)
        if part is not layer
        for ours, theirs in zip(own_weights(part), references[id(part)][1], strict=True)
    }
    return stock, [by_weight[id(weight)] for weight in own_weights(layer)]
