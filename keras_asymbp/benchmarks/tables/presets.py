"""The preset that a protocol comes from."""

import dataclasses
from collections.abc import Iterable

from keras_asymbp.benchmarks.tables import readings
from keras_asymbp.benchmarks.tables.protocol import PRESETS, REQUESTED, Protocol


def of(protocol: Protocol) -> str | None:
    """The preset of a protocol, whatever its requested deviations; None without one.

    >>> of(dataclasses.replace(PRESETS["paper"], test_examples=100))
    'paper'
    """
    for name, preset in PRESETS.items():
        # Deviations that the preset has itself must match.
        if _same(protocol, preset, (n for n in REQUESTED if not getattr(preset, n))):
            return name
    return None


def base(protocol: Protocol) -> str:
    """The preset from which flags lead to a protocol; if none does, `quick`.

    >>> base(dataclasses.replace(PRESETS["biotorch"], epochs=200))
    'biotorch'
    """
    for name in ("quick", *PRESETS):
        if _same(protocol, PRESETS[name], (*REQUESTED, "epochs")):
            return name
    return "quick"


def _same(protocol: Protocol, preset: Protocol, requested: Iterable[str]) -> bool:
    """Whether a protocol is a preset, apart from requested settings and its rates."""
    ignored = [*requested, "learning_rates", "revision"]
    if readings.of(protocol):
        ignored += readings.CHOICES
    same = {name: getattr(preset, name) for name in ignored}
    return dataclasses.replace(protocol, **same) == preset
