import pytest

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.networks import NETWORKS
from keras_asymbp.benchmarks.tables import readings
from keras_asymbp.benchmarks.tables.protocol import PRESETS, Protocol


def test_every_choice_is_combined_with_every_other():
    assert len(readings.READINGS) == 2 * 3 * 2 * 2
    applied = {reading.applied(Protocol()) for reading in readings.READINGS.values()}
    assert len(applied) == len(readings.READINGS)


def test_the_reading_of_a_protocol():
    for reading in readings.READINGS.values():
        assert readings.of(reading.applied(PRESETS["quick"])) == reading
    assert readings.of(Protocol()).name == "unit-he-sum-decay"
    assert readings.of(Protocol(input_scale=3.0)) is None


def test_deviations_by_layer_are_for_the_network_that_they_are_of():
    counts = {name: len(readings.for_network(name)) for name in ("mnist", "cifar")}
    assert counts == {"mnist": 16, "cifar": 24}
    assert set(counts) <= set(NETWORKS)


def test_changes_of_the_default():
    changes = {name: readings.get(name).changes() for name in readings.READINGS}
    assert changes["unit-he-sum-decay"] == 0
    assert changes["unit-he-mean-decay"] == 1
    assert changes["pixels-normal-mean-nodecay"] == 4


def test_the_default_is_by_network():
    chosen = {"mnist": "pixels-normal-mean-decay", "cifar": "pixels-he-sum-decay"}
    assert {name: readings.default(name).name for name in chosen} == chosen
    for name in set(NETWORKS) - set(chosen):
        assert readings.default(name) == readings.of(Protocol())


def test_an_unknown_reading_is_refused():
    with pytest.raises(UsageError, match="unknown reading 'he': choose from unit-he-"):
        readings.get("he")
