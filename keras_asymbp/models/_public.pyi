# Written by `python -m keras_asymbp._stubs`, with Keras 3.15; do not edit.
import collections.abc
import os
from typing import Any

import keras

def alexnet(
    feedback: Any = "uSF",
    *,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 1000,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = "alexnet",
) -> keras.Model:
    """AlexNet for one processor, as torchvision has it: `alexnet` of the suite."""

def lenet(
    feedback: Any = "uSF",
    *,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = "lenet",
) -> keras.Model:
    """LeNet-5 with ReLU and max pooling, for grey images: `lenet-mnist` of the suite."""

def lenet_cifar(
    feedback: Any = "uSF",
    *,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = "lenet_cifar",
) -> keras.Model:
    """A LeNet of 3x3 convolutions, for small colour images: `lenet-cifar` of the suite."""

def mlp(
    feedback: Any = "uSF",
    *,
    hidden_units: collections.abc.Sequence[int] = (512, 256),
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = "mlp",
) -> keras.Model:
    """A fully connected network; inputs of higher rank are flattened."""

def paper_cifar(
    feedback: Any = "uSF",
    *,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = "paper_cifar",
) -> keras.Model:
    """The paper's network for CIFAR-10 and -100 (Table 1): `cifar` of the suite."""

def paper_large(
    feedback: Any = "uSF",
    *,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = "paper_large",
) -> keras.Model:
    """The paper's network for all other images (Table 1): `large` of the suite."""

def paper_mnist(
    feedback: Any = "uSF",
    *,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = "paper_mnist",
) -> keras.Model:
    """The paper's network for MNIST (Table 1): `mnist` of the suite."""

def paper_svhn(
    feedback: Any = "uSF",
    *,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = "paper_svhn",
) -> keras.Model:
    """The paper's network for SVHN (Table 1): `svhn` of the suite."""

def plain(
    feedback: Any = "uSF",
    *,
    depth: int = 10,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = None,
) -> keras.Model:
    """A network of equal convolutions, `depth` layers with weights deep."""

def residual(
    feedback: Any = "uSF",
    *,
    depth: int = 10,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = None,
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = None,
) -> keras.Model:
    """A network of equal residual blocks, `depth` layers with weights deep."""

def resnet18(
    feedback: Any = "uSF",
    *,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 1000,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = "BN learnable",
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = "resnet18",
) -> keras.Model:
    """ResNet-18 with 1x1 convolutions as shortcuts: `resnet-18` of the suite."""

def resnet20(
    feedback: Any = "uSF",
    *,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = "BN learnable",
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = "resnet20",
) -> keras.Model:
    """ResNet-20 for CIFAR-10: `resnet-20` of the suite."""

def resnet56(
    feedback: Any = "uSF",
    *,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int = 10,
    include_top: bool = True,
    weights: str | os.PathLike | None = None,
    classifier_activation: Any = "softmax",
    normalization: str | None = "BN learnable",
    kernel_initializer: Any = "he_normal",
    seed: int | None = None,
    name: str | None = "resnet56",
) -> keras.Model:
    """ResNet-56 for CIFAR-10: `resnet-56` of the suite."""
