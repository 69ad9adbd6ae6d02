import dataclasses

import pytest

from keras_asymbp.benchmarks.tables import presets, readings
from keras_asymbp.benchmarks.tables.protocol import PRESETS, Protocol


@pytest.mark.parametrize("name", PRESETS)
def test_requested_deviations_leave_the_preset(name):
    preset = PRESETS[name]
    assert presets.of(preset) == name
    changed = dataclasses.replace(
        preset,
        **{
            "architecture": "svhn",
            "augmentation": "standard",
            "learning_rates": (1.0,),
        },
        **{"validation_share": 0.25, "revision": 1},
    )
    assert presets.of(changed) == name
    reading = readings.get("pixels-normal-mean-nodecay")
    assert presets.of(reading.applied(changed)) == name


@pytest.mark.parametrize("name", ["batch_size", "weight_decay", "epochs"])
def test_another_setting_is_no_preset(name):
    for preset in PRESETS.values():
        value = 2 * getattr(preset, name) + 1
        assert presets.of(dataclasses.replace(preset, **{name: value})) is None


def test_the_limits_of_smoke_are_its_own():
    changed = dataclasses.replace(PRESETS["smoke"], train_examples=100)
    assert presets.of(changed) is None
    assert presets.base(changed) == "quick"


def test_the_base_has_what_no_flag_gives():
    for name in ("paper", "biotorch"):
        changed = dataclasses.replace(PRESETS[name], epochs=9, test_examples=10)
        assert presets.base(changed) == {"paper": "quick"}.get(name, name)
    assert presets.base(Protocol(momentum=0.5)) == "quick"
