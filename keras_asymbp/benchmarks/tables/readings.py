"""Readings: choices for what the paper leaves open, as data."""

import dataclasses
import itertools

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
        return sum(getattr(self, name) != getattr(default, name) for name in FIELDS)

    def applied(self, protocol: Protocol) -> Protocol:
        """The protocol, read so."""
        changes = dataclasses.asdict(self)
        del changes["name"]
        return dataclasses.replace(protocol, **changes)


# "unit" is 0 to 1. Deviations by layer are those of the authors' tool's example.
_INPUTS = {"unit": 1 / 255, "pixels": 1.0}
_WEIGHTS = {"he": "he_normal", "normal": "normal_0.01", "layers": "matconvnet_cifar"}
_REDUCTIONS = ("sum", "mean")
_DECAYS = {"decay": True, "nodecay": False}

READINGS = {
    reading.name: reading
    for reading in (
        Reading(
            "-".join(names),
            *(_INPUTS[names[0]], _WEIGHTS[names[1]], names[2], _DECAYS[names[3]]),
        )
        for names in itertools.product(_INPUTS, _WEIGHTS, _REDUCTIONS, _DECAYS)
    )
}


# Their fields, as those of a protocol.
FIELDS = tuple(
    field.name for field in dataclasses.fields(Reading) if field.name != "name"
)


_BY_CHOICES = {
    tuple(getattr(reading, name) for name in FIELDS): reading
    for reading in READINGS.values()
}


def of(protocol: Protocol) -> Reading | None:
    """The reading that a protocol has; None if it has none of `READINGS`."""
    return _BY_CHOICES.get(tuple(getattr(protocol, name) for name in FIELDS))


def for_network(name: str) -> list[Reading]:
    """The readings that suit a network of Table 1.

    Deviations by layer are those of CIFAR's network; others have none.
    """
    return [
        reading
        for reading in READINGS.values()
        if name == "cifar" or reading.kernel_initializer != _WEIGHTS["layers"]
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
