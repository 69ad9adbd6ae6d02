"""Residual networks."""

from keras_asymbp.models.base import builds
from keras_asymbp.models.rows import Conv, GlobalPool, Network, Pad, Pool, Residual


def _for_cifar(blocks: int) -> Network:
    """A residual network for CIFAR-10 with 6 n + 2 layers (He et al., section 4.2).

    Shortcuts of option A, as there: 0.27 million parameters for n = 3, 0.85 for n = 9.

    Args:
        blocks: n, the number of blocks per stage.
    """
    return Network(
        (32, 32, 3),
        (
            Conv(16, 3),
            *(
                Residual(filters, stride=2 if filters > 16 and block == 0 else 1)
                for filters in (16, 32, 64)
                for block in range(blocks)
            ),
            GlobalPool(),
        ),
        padding="same",
        conv_bias=False,
        normalization="BN learnable",
    )


RESNET_20 = _for_cifar(3)
RESNET_56 = _for_cifar(9)
# torchvision's.
RESNET_18 = Network(
    (224, 224, 3),
    (
        *(Pad(3), Conv(64, 7, stride=2), Pad(1), Pool("max", 3)),
        *(
            Residual(
                filters,
                stride=2 if filters > 64 and block == 0 else 1,
                projection=True,
            )
            for filters in (64, 128, 256, 512)
            for block in range(2)
        ),
        GlobalPool(),
    ),
    conv_bias=False,
    normalization="BN learnable",
)


@builds(classes=1000, normalization="BN learnable")
def resnet18() -> Network:
    """ResNet-18 with 1x1 convolutions as shortcuts: `resnet-18` of the suite.

    Source: He et al., "Deep Residual Learning for Image Recognition", 2016.

    >>> import keras_asymbp
    >>> model = keras_asymbp.models.resnet18("uSF", input_shape=(64, 64, 3))
    >>> model.output_shape
    (None, 1000)
    """
    return RESNET_18


@builds(normalization="BN learnable")
def resnet20() -> Network:
    """ResNet-20 for CIFAR-10: `resnet-20` of the suite.

    Source: He et al., "Deep Residual Learning for Image Recognition", 2016.

    >>> import keras_asymbp
    >>> keras_asymbp.models.resnet20("uSF").count_params()
    271117
    """
    return RESNET_20


@builds(normalization="BN learnable")
def resnet56() -> Network:
    """ResNet-56 for CIFAR-10: `resnet-56` of the suite.

    Source: He et al., "Deep Residual Learning for Image Recognition", 2016.
    """
    return RESNET_56
