"""Readings: choices for what the paper leaves open, as data."""

import dataclasses
import itertools
from typing import Any

from keras_asymbp.benchmarks.errors import unknown
from keras_asymbp.benchmarks.tables.protocol import Protocol


@dataclasses.dataclass(frozen=True)
class Reading:
    """One choice for each setting that the paper does not give.

    Attributes:
        name: Its name for `--reading`.
        input_scale: Factor of the pixels, 0 to 255, before their mean is subtracted.
        kernel_initializer: See `first_weights.INITIALIZERS`.
        loss_reduction: "sum" or "mean" over the mini-batch.
        bias_decay: Whether the weight decay acts on biases, too.
    """

    name: str
    input_scale: float
    kernel_initializer: str
    loss_reduction: str
    bias_decay: bool

    def changes(self) -> int:
        """The number of choices that differ from those of `Protocol`."""
        default = Protocol()
        return sum(getattr(self, name) != getattr(default, name) for name in CHOICES)

    def applied(self, protocol: Protocol) -> Protocol:
        """The protocol, read so."""
        changes = dataclasses.asdict(self)
        del changes["name"]
        return dataclasses.replace(protocol, **changes)


# For each setting its choices by name. "unit" is 0 to 1. Deviations by layer are those
# of the authors' tool's example.
CHOICES: dict[str, dict[str, Any]] = {
    "input_scale": {"unit": 1 / 255, "pixels": 1.0},
    "kernel_initializer": {
        "he": "he_normal",
        "normal": "normal_0.01",
        "layers": "matconvnet_cifar",
    },
    "loss_reduction": {"sum": "sum", "mean": "mean"},
    "bias_decay": {"decay": True, "nodecay": False},
}

READINGS = {
    "-".join(names): Reading("-".join(names), *values)
    for names in itertools.product(*CHOICES.values())
    for values in [(CHOICES[field][n] for field, n in zip(CHOICES, names, strict=True))]
}
_BY_CHOICES = {
    dataclasses.astuple(reading)[1:]: reading for reading in READINGS.values()
}

# That of `Protocol()`, and of networks without an ablation.
BASE = READINGS["unit-he-sum-decay"]
# By network: the reading that the ablation chose (docs/ablation.md).
_CHOSEN = {
    "mnist": READINGS["pixels-normal-mean-decay"],
    "cifar": READINGS["pixels-he-sum-decay"],
}


def default(network: str) -> Reading:
    """The reading that a network is trained with, unless another is requested.

    >>> default("mnist").name, default("resnet-20").name
    ('pixels-normal-mean-decay', 'unit-he-sum-decay')
    """
    return _CHOSEN.get(network, BASE)


def completed(protocol: Protocol, network: str) -> Protocol:
    """A preset's protocol with the default reading of a network.

    A preset that makes other choices than `Protocol()` keeps them.

    >>> from keras_asymbp.benchmarks.tables.protocol import PRESETS
    >>> completed(PRESETS["quick"], "mnist").kernel_initializer
    'normal_0.01'
    >>> completed(PRESETS["biotorch"], "mnist").kernel_initializer
    'glorot_uniform'
    """
    return default(network).applied(protocol) if of(protocol) == BASE else protocol


def of(protocol: Protocol) -> Reading | None:
    """The reading that a protocol has; None if it has none of `READINGS`."""
    choices = tuple(getattr(protocol, name) for name in CHOICES)
    return _BY_CHOICES.get(choices)


def for_network(name: str) -> list[Reading]:
    """The readings that suit a network of Table 1.

    Deviations by layer are those of CIFAR's network; others have none.
    """
    by_layer = CHOICES["kernel_initializer"]["layers"]
    return [
        reading
        for reading in READINGS.values()
        if name == "cifar" or reading.kernel_initializer != by_layer
    ]


def get(name: str) -> Reading:
    """Returns a reading by name.

    Raises:
        UsageError: If no reading has this name.

    >>> get("pixels-normal-sum-decay").kernel_initializer
    'normal_0.01'
    """
    if name not in READINGS:
        raise unknown("reading", name, READINGS)
    return READINGS[name]
