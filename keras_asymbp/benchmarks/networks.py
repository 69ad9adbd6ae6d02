"""The networks, as data: those of Table 1, later ones, and `keras.applications`."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from keras_asymbp.benchmarks.errors import unknown


@dataclasses.dataclass(frozen=True)
class Conv:
    """`filters` feature maps of size x size, with a stride: "Conv 5x5x20/1"."""

    filters: int
    size: int
    stride: int = 1


@dataclasses.dataclass(frozen=True)
class Pool:
    """Max or average pooling of size x size, with a stride: "Max-Pool 2x2/2"."""

    kind: str
    size: int
    stride: int = 2


@dataclasses.dataclass(frozen=True)
class FC:
    """A fully connected layer; its units may depend on the number of classes."""

    units: int | Callable[[int], int]


@dataclasses.dataclass(frozen=True)
class Pad:
    """`size` pixels of zero on each side."""

    size: int


@dataclasses.dataclass(frozen=True)
class Residual:
    """A block of two 3x3 convolutions, the first with a stride, and its shortcut.

    Where the shortcut has to change the shape, it is a 1x1 convolution (`projection`,
    option B of He et al.), or takes every other pixel and adds maps of zeros, half of
    them on each side (option A, without parameters).
    """

    filters: int
    stride: int = 1
    projection: bool = False


@dataclasses.dataclass(frozen=True)
class GlobalPool:
    """The average of each feature map."""


@dataclasses.dataclass(frozen=True)
class Dropout:
    """Dropout with a probability of `rate`."""

    rate: float


@dataclasses.dataclass(frozen=True)
class Application:
    """A model of `keras.applications`, up to its logits."""

    name: str


@dataclasses.dataclass(frozen=True)
class Network:
    """A column of Table 1, or another network.

    Attributes:
        input_shape: Shape of one input.
        layers: The hidden layers, bottom first: rows of this file. The last layer, with
            one unit for each class, is implied.
        padding: Of convolutions and pooling layers, as Keras has it.
        conv_bias: Whether convolutions have biases.
        normalization: The network's own, where the model has none: it is part of it.
    """

    input_shape: tuple[int, ...]
    layers: tuple[Any, ...]
    padding: str = "valid"
    conv_bias: bool = True
    normalization: str | None = None


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
        # Two pixels around a 5x5 convolution and one at the right and bottom of a
        # 3x3/2 pooling of an even size: what "same" means for these.
        padding="same",
    ),
    "svhn": Network(
        (32, 32, 3),
        (Conv(20, 5), Pool("max", 2), Conv(512, 7), Pool("max", 2), FC(40)),
    ),
    "timit": Network((1845,), (FC(512), FC(256))),
}


def _resnet(blocks: int) -> Network:
    """The residual network for CIFAR-10 with 6 n + 2 layers (He et al., section 4.2).

    Option A, as there: 0.27 million parameters for n = 3, 0.85 for n = 9.
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


def _deep(*blocks: Any) -> Network:
    """A network of the depth study: a layer that makes 7x7 of 28x28, and blocks.

    All layers but this and the logits are alike, so that nothing differs but the depth.
    """
    return Network((28, 28, 1), (Conv(16, 5, stride=4), *blocks), padding="same")


# The layers of BioTorch 0.0.16 (`models/le_net.py`, `alexnet.py`, `resnet.py`; the last
# two are torchvision's). Residual networks: He et al., "Deep Residual Learning for
# Image Recognition", 2016.
_NETWORKS = {
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
    # By the number of layers with weights, the logits included.
    **{f"plain-{n}": _deep(*[Conv(16, 3)] * (n - 2)) for n in range(2, 21, 2)},
    **{f"residual-{n}": _deep(*[Residual(16)] * (n // 2 - 1)) for n in range(4, 21, 2)},
}

# The models of `keras.applications` and the size of the images that each is made for.
_APPLICATIONS = {
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


class _Networks(Mapping[str, Network]):
    """All networks by name: Table 1's, then the others, then `keras.applications`."""

    def __getitem__(self, name: str) -> Network:
        for table in (TABLE_1, _NETWORKS):
            if name in table:
                return table[name]
        size = _APPLICATIONS[name]
        return Network((size, size, 3), (Application(name),))

    def __iter__(self) -> Iterator[str]:
        return iter([*TABLE_1, *_NETWORKS, *_APPLICATIONS])

    def __len__(self) -> int:
        return len(list(iter(self)))


NETWORKS = _Networks()


def get(name: str) -> Network:
    """Returns the network of that name.

    Raises:
        UsageError: If there is none.
    """
    if name not in NETWORKS:
        raise unknown("architecture", name, NETWORKS)
    return NETWORKS[name]
