"""Networks as data: Table 1, later ones, the depth study's, `keras.applications`."""

import dataclasses
from collections.abc import Callable
from typing import Any

from keras_asymbp.benchmarks.errors import unknown


@dataclasses.dataclass(frozen=True)
class Conv:
    """A convolution of `filters` kernels of size x size: "Conv 5x5x20/1"."""

    filters: int
    size: int
    stride: int = 1


@dataclasses.dataclass(frozen=True)
class Pool:
    """Max or average pooling over size x size: "Max-Pool 2x2/2"."""

    kind: str
    size: int
    stride: int = 2


@dataclasses.dataclass(frozen=True)
class FC:
    """A fully connected layer; `units` may be a function of the number of classes."""

    units: int | Callable[[int], int]


@dataclasses.dataclass(frozen=True)
class Pad:
    """Zero padding of `size` pixels on each side."""

    size: int


@dataclasses.dataclass(frozen=True)
class Residual:
    """Two 3x3 convolutions, the first with a stride, and a shortcut around them.

    A shortcut that changes the shape is a 1x1 convolution (`projection`, option B of
    He et al.), or subsamples pixels and pads channels with zeros, half of them on each
    side (option A, without parameters).
    """

    filters: int
    stride: int = 1
    projection: bool = False


@dataclasses.dataclass(frozen=True)
class GlobalPool:
    """Global average pooling."""


@dataclasses.dataclass(frozen=True)
class Dropout:
    """Dropout with probability `rate`."""

    rate: float


@dataclasses.dataclass(frozen=True)
class Application:
    """A model of `keras.applications`, up to its logits."""

    name: str


@dataclasses.dataclass(frozen=True)
class Network:
    """A network, such as a column of Table 1.

    Attributes:
        input_shape: Shape of one input.
        layers: The hidden layers, bottom first: rows of this file. The output layer,
            with one unit per class, is implied.
        padding: Padding of convolutions and pooling layers, as in Keras.
        conv_bias: Whether convolutions have biases.
        normalization: The network's own normalization, used where the model has none.
        family: Name of its family in the depth study, if any.
        depth: Number of layers with weights, for members of a family.
    """

    input_shape: tuple[int, ...]
    layers: tuple[Any, ...]
    padding: str = "valid"
    conv_bias: bool = True
    normalization: str | None = None
    family: str | None = None
    depth: int | None = None


# Table 1 of the paper.
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
    "timit": Network((1845,), (FC(512), FC(256))),
}


def _resnet(blocks: int) -> Network:
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


# BioTorch 0.0.16 (`models/le_net.py`, `alexnet.py`, `resnet.py`; the last two are
# torchvision's). Residual networks: He et al., "Deep Residual Learning for Image
# Recognition", 2016.
_BIOTORCH = {
    "lenet-mnist": Network(
        (32, 32, 1),
        (
            *(Conv(6, 5), Pool("max", 2), Conv(16, 5), Pool("max", 2)),
            *(Conv(120, 5), FC(84)),
        ),
    ),
    "lenet-cifar": Network(
        (32, 32, 3),
        (
            *(Conv(32, 3), Pool("max", 2), Conv(64, 3), Pool("max", 2)),
            *(Conv(128, 3), GlobalPool(), FC(256)),
        ),
    ),
    "resnet-20": _resnet(3),
    "resnet-56": _resnet(9),
    "resnet-18": Network(
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
    ),
    "alexnet": Network(
        (224, 224, 3),
        (
            *(Pad(2), Conv(64, 11, stride=4), Pool("max", 3)),
            *(Pad(2), Conv(192, 5), Pool("max", 3)),
            *(Pad(1), Conv(384, 3), Pad(1), Conv(256, 3), Pad(1), Conv(256, 3)),
            *(Pool("max", 3), Dropout(0.5), FC(4096), Dropout(0.5), FC(4096)),
        ),
    ),
}


@dataclasses.dataclass(frozen=True)
class Family:
    """Networks of the depth study, which differ in depth alone.

    The lowest layer turns 28x28 pixels into 7x7; all between it and the logits are
    alike.

    Attributes:
        name: The family's name.
        depths: Numbers of layers with weights, the logits included.
        block: The repeated row.
        block_depth: Number of layers with weights in a block.
    """

    name: str
    depths: range
    block: Conv | Residual
    block_depth: int

    def network(self, depth: int) -> str:
        """The name of the network of a depth."""
        return f"{self.name}-{depth}"

    def networks(self) -> dict[str, Network]:
        """The networks by name, shallowest first."""
        return {
            self.network(depth): Network(
                (28, 28, 1),
                (
                    Conv(16, 5, stride=4),
                    *[self.block] * ((depth - 2) // self.block_depth),
                ),
                padding="same",
                family=self.name,
                depth=depth,
            )
            for depth in self.depths
        }


# A residual network without blocks would be plain-2.
FAMILIES = {
    family.name: family
    for family in (
        Family("plain", range(2, 21, 2), Conv(16, 3), block_depth=1),
        Family("residual", range(4, 21, 2), Residual(16), block_depth=2),
    )
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
    **_BIOTORCH,
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
