"""Networks by name: of `keras_asymbp.models`, `keras.applications`, a transformer."""

import dataclasses

from keras_asymbp.benchmarks.errors import unknown
from keras_asymbp.models.alexnets import ALEXNET
from keras_asymbp.models.deep import FAMILIES
from keras_asymbp.models.lenets import LENET, LENET_CIFAR
from keras_asymbp.models.paper import TABLE_1
from keras_asymbp.models.resnets import RESNET_18, RESNET_20, RESNET_56
from keras_asymbp.models.rows import (
    FC,
    Conv,
    Dropout,
    GlobalPool,
    Network,
    Pad,
    Pool,
    Residual,
)

# The rows are here for a network of your own.
__all__ = [
    "FAMILIES",
    "FC",
    "NETWORKS",
    "TABLE_1",
    "Application",
    "Conv",
    "Dropout",
    "GlobalPool",
    "Network",
    "Pad",
    "Pool",
    "Residual",
    "Transformer",
    "get",
]


@dataclasses.dataclass(frozen=True)
class Application:
    """The row of a model of `keras.applications`, up to its logits."""

    name: str


@dataclasses.dataclass(frozen=True)
class Transformer:
    """The row of a transformer that says which symbol comes next, up to its logits.

    Attributes:
        units: Size of the vector of a position.
        heads: Heads of attention in each block.
        blocks: Number of blocks.
    """

    units: int
    heads: int
    blocks: int


# For the text in the package. `datasets` imports this module, so a test compares them.
_TRANSFORMER = Network((32, 36), (Transformer(units=64, heads=4, blocks=2),))

# Of other packages: BioTorch, torchvision.
_LATER = {
    "lenet-mnist": LENET,
    "lenet-cifar": LENET_CIFAR,
    "resnet-20": RESNET_20,
    "resnet-56": RESNET_56,
    "resnet-18": RESNET_18,
    "alexnet": ALEXNET,
}

# Models of `keras.applications`, each with its image size.
_APPLICATION_SIZES = {
    **dict.fromkeys(
        (
            *("ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny"),
            *("ConvNeXtXLarge", "DenseNet121", "DenseNet169", "DenseNet201"),
            *("EfficientNetB0", "EfficientNetV2B0", "MobileNet", "MobileNetV2"),
            *("MobileNetV3Large", "MobileNetV3Small", "NASNetMobile"),
            *("ResNet50", "ResNet50V2", "ResNet101", "ResNet101V2", "ResNet152"),
            *("ResNet152V2", "VGG16", "VGG19"),
        ),
        224,
    ),
    **dict.fromkeys(("InceptionResNetV2", "InceptionV3", "Xception"), 299),
    "EfficientNetB1": 240,
    "EfficientNetB2": 260,
    "EfficientNetB3": 300,
    "EfficientNetB4": 380,
    "EfficientNetB5": 456,
    "EfficientNetB6": 528,
    "EfficientNetB7": 600,
    "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300,
    "EfficientNetV2S": 384,
    "EfficientNetV2M": 480,
    "EfficientNetV2L": 480,
    "NASNetLarge": 331,
}


# All networks by name: Table 1's first.
NETWORKS: dict[str, Network] = {
    **TABLE_1,
    **_LATER,
    "transformer": _TRANSFORMER,
    **FAMILIES["plain"].networks(),
    **FAMILIES["residual"].networks(),
    **{
        name: Network((size, size, 3), (Application(name),))
        for name, size in _APPLICATION_SIZES.items()
    },
}


def get(name: str) -> Network:
    """Returns a network by name.

    Raises:
        UsageError: If the name is unknown. It says "architecture", as users know
            networks by the flag `--architecture`.
    """
    if name not in NETWORKS:
        raise unknown("architecture", name, NETWORKS)
    return NETWORKS[name]
