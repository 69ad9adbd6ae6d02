"""LeNet for digits and for small colour images."""

import dataclasses

from keras_asymbp.models.base import builds
from keras_asymbp.models.rows import FC, Conv, GlobalPool, Network, Pad, Pool

# As in BioTorch 0.0.16, `models/le_net.py`.
LENET = Network(
    (32, 32, 1),
    (
        *(Conv(6, 5), Pool("max", 2), Conv(16, 5), Pool("max", 2)),
        *(Conv(120, 5), FC(84)),
    ),
)
LENET_CIFAR = Network(
    (32, 32, 3),
    (
        *(Conv(32, 3), Pool("max", 2), Conv(64, 3), Pool("max", 2)),
        *(Conv(128, 3), GlobalPool(), FC(256)),
    ),
)


@builds()
def lenet(input_shape: tuple[int | None, ...] | None = None) -> Network:
    """LeNet-5 with ReLU and max pooling, for grey images: `lenet-mnist` of the suite.

    Images of 28x28 pixels are padded with zeros to 32x32, as in the source.

    Source: LeCun et al., "Gradient-Based Learning Applied to Document Recognition",
    1998.

    >>> import keras_asymbp
    >>> keras_asymbp.models.lenet("uSF").count_params()
    61706
    """
    network = LENET
    if isinstance(input_shape, tuple | list) and tuple(input_shape[:2]) == (28, 28):
        network = dataclasses.replace(LENET, layers=(Pad(2), *LENET.layers))
    return network


@builds()
def lenet_cifar() -> Network:
    """A LeNet of 3x3 convolutions, for small colour images: `lenet-cifar` of the suite.

    >>> import keras_asymbp
    >>> keras_asymbp.models.lenet_cifar("uSF").count_params()
    128842
    """
    return LENET_CIFAR
