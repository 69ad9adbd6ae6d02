"""First weights: the distributions of Keras's initializers, drawn by `draws`."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_asymbp.benchmarks.training import draws
from keras_asymbp.surgery import parts

# Keras's truncated normals leave out what is more than two deviations from the mean.
_CUT = 2.0
# The deviation of N(0, 1) cut so; `VarianceScaling` divides by it.
_CUT_DEVIATION = 0.87962566103423978

# Kernels of Keras's layers by attribute, with their initializers'.
_KERNELS = (
    ("kernel", "kernel"),
    ("kernel", "depthwise"),  # of `DepthwiseConv2D`
    ("depthwise_kernel", "depthwise"),
    ("pointwise_kernel", "pointwise"),
)

# By name: the initializer of a network's kernel of some number, counted from 0.
INITIALIZERS: dict[str, Callable[[int], Any]] = {
    "normal_0.01": lambda number: keras.initializers.RandomNormal(stddev=0.01),
    # Of `cnn_cifar_init.m` in MatConvNet's examples.
    "matconvnet_cifar": lambda number: keras.initializers.RandomNormal(
        stddev=0.05 if number else 0.01
    ),
}


@keras.saving.register_keras_serializable("keras_asymbp")
class FirstWeights(keras.initializers.Initializer):
    """Draws from the distribution of a Keras initializer, the same on every backend.

    Args:
        initializer: A Keras initializer, its name or its config: `VarianceScaling` and
            what derives from it, `RandomNormal`, `TruncatedNormal`, `RandomUniform`, or
            one that draws nothing, such as `Zeros`.
        seed: The cell's seed.
        number: Number of the kernel in its network.

    Raises:
        ValueError: If the initializer draws from another distribution.

    >>> first = FirstWeights("he_normal", seed=0, number=3)
    >>> again = FirstWeights("he_normal", seed=0, number=3)
    >>> bool(keras.ops.all(first((50, 20)) == again((50, 20))))
    True
    """

    def __init__(self, initializer, seed: int, number: int):
        self.initializer = keras.initializers.get(initializer)
        self.seed = seed
        self.number = number

    def __call__(self, shape, dtype=None):
        draw = _distribution(self.initializer, shape)
        if draw is None:
            return self.initializer(shape, dtype=dtype)
        count = math.prod(shape)
        numbers = draw(count, draws.Stream.WEIGHTS, self.seed, self.number)
        numbers = numbers.reshape(shape).astype(np.float32)
        return keras.ops.convert_to_tensor(numbers, dtype=dtype)

    def get_config(self):
        initializer = keras.initializers.serialize(self.initializer)
        return {"initializer": initializer, "seed": self.seed, "number": self.number}


def first_weights(initializer, seed: int, number: int) -> FirstWeights:
    """The initializer of a kernel in a network of the suite.

    Args:
        initializer: A key of `INITIALIZERS`, or what `FirstWeights` takes.
        seed: The cell's seed.
        number: Number of the kernel in its network, counted from 0.
    """
    if make := INITIALIZERS.get(str(initializer)):
        initializer = make(number)
    return FirstWeights(initializer, seed, number)


def draw_anew(model: keras.Model, seed: int) -> None:
    """Draws the kernels of a model of stock Keras layers, by their initializers."""
    number = 0
    for layer in itertools.chain.from_iterable(map(parts, model.layers)):
        for name, kind in _KERNELS:
            kernel = getattr(layer, name, None)
            initializer = getattr(layer, f"{kind}_initializer", None)
            if kernel is not None and initializer is not None:
                kernel.assign(FirstWeights(initializer, seed, number)(kernel.shape))
                number += 1


def _distribution(initializer, shape):
    """A function like those of `draws`; None for an initializer that draws nothing."""
    match initializer:
        case keras.initializers.VarianceScaling():
            return _variance_scaling(initializer, shape)
        case keras.initializers.RandomNormal(mean=mean, stddev=stddev):
            return lambda *which: mean + stddev * draws.normal(*which)
        case keras.initializers.TruncatedNormal(mean=mean, stddev=stddev):
            return lambda *which: mean + stddev * draws.normal(*which, cut=_CUT)
        case keras.initializers.RandomUniform(minval=low, maxval=high):
            return lambda *which: low + (high - low) * draws.uniform(*which)
        case keras.initializers.Initializer(seed=_):
            raise ValueError(
                "first weights are drawn by VarianceScaling and what derives from it, "
                "RandomNormal, TruncatedNormal or RandomUniform. Received: "
                f"{initializer!r}"
            )
    return None


def _variance_scaling(initializer, shape):
    """Source: He et al., 2015; Glorot and Bengio, 2010, as Keras has them."""
    fan_in, fan_out = _fans(shape)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    deviation = math.sqrt(initializer.scale / max(1.0, fan[initializer.mode]))
    if initializer.distribution == "truncated_normal":
        deviation /= _CUT_DEVIATION
        return lambda *which: deviation * draws.normal(*which, cut=_CUT)
    if initializer.distribution == "untruncated_normal":
        return lambda *which: deviation * draws.normal(*which)
    limit = math.sqrt(3) * deviation
    return lambda *which: limit * (2 * draws.uniform(*which) - 1)


def _fans(shape):
    """Numbers of inputs and outputs of a unit: kernels are (..., in, out)."""
    *field, inputs, outputs = shape
    return math.prod(field) * inputs, math.prod(field) * outputs
