"""The paper's networks: Table 1."""

from keras_asymbp.models.base import builds
from keras_asymbp.models.perceptrons import TIMIT
from keras_asymbp.models.rows import FC, Conv, Network, Pool

TABLE_1 = {
    "large": Network(  # "All others"
        (119, 119, 3),
        (
            Conv(48, 9, stride=2),
            Pool("max", 2),
            Conv(128, 5),
            Pool("max", 2),
            FC(lambda classes: max(256, 3 * classes)),
            FC(lambda classes: 2 * classes),
        ),
    ),
    "mnist": Network(
        (28, 28, 1),
        (Conv(20, 5), Pool("max", 2), Conv(50, 5), Pool("max", 2), FC(500)),
    ),
    "cifar": Network(
        (32, 32, 3),
        (
            Conv(32, 5),
            Pool("max", 3),
            Conv(64, 5),
            Pool("average", 3),
            Conv(64, 5),
            Pool("average", 3),
            FC(128),
        ),
        # "same" here pads two pixels around a 5x5 convolution, and one at the right and
        # bottom of a 3x3/2 pooling of even size.
        padding="same",
    ),
    "svhn": Network(
        (32, 32, 3),
        (Conv(20, 5), Pool("max", 2), Conv(512, 7), Pool("max", 2), FC(40)),
    ),
    "timit": TIMIT,
}


@builds()
def paper_mnist() -> Network:
    """The paper's network for MNIST (Table 1): `mnist` of the suite.

    >>> import keras_asymbp
    >>> keras_asymbp.models.paper_mnist("uSF").count_params()
    431080
    """
    return TABLE_1["mnist"]


@builds()
def paper_cifar() -> Network:
    """The paper's network for CIFAR-10 and -100 (Table 1): `cifar` of the suite.

    >>> import keras_asymbp
    >>> keras_asymbp.models.paper_cifar("uSF").count_params()
    288650
    """
    return TABLE_1["cifar"]


@builds()
def paper_svhn() -> Network:
    """The paper's network for SVHN (Table 1): `svhn` of the suite.

    >>> import keras_asymbp
    >>> keras_asymbp.models.paper_svhn("uSF").count_params()
    831922
    """
    return TABLE_1["svhn"]


@builds()
def paper_large() -> Network:
    """The paper's network for all other images (Table 1): `large` of the suite.

    The widths of its fully connected layers grow with the number of classes.

    >>> import keras_asymbp
    >>> keras_asymbp.models.paper_large("uSF").count_params()
    4889638
    """
    return TABLE_1["large"]
