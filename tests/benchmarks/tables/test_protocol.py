import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.tables.protocol import (
    PRESETS,
    Protocol,
    chance_error,
    later_field,
    phases,
)


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (65, (50, 10, 5)),
        (130, (100, 20, 10)),
        (13, (10, 2, 1)),
        (6, (4, 1, 1)),
        (3, (1, 1, 1)),
        (2, (2, 0, 0)),
        (1, (1, 0, 0)),
    ],
)
def test_phases(epochs, expected):
    assert phases(epochs) == expected


@given(epochs=st.integers(3, 1000))
def test_phases_keep_the_papers_shape(epochs):
    first, second, third = phases(epochs)
    assert first + second + third == epochs
    assert min(first, second, third) >= 1
    assert abs(first - epochs * 50 / 65) <= 2


@pytest.mark.parametrize(
    ("epochs", "factors"),
    [
        (65, [1] * 50 + [0.1] * 10 + [0.01] * 5),
        (6, [1, 1, 1, 1, 0.1, 0.01]),
        (3, [1, 0.1, 0.01]),
        (2, [1, 1]),
        (1, [1]),
    ],
)
def test_rate_of_each_epoch(epochs, factors):
    protocol = Protocol(epochs=epochs)
    assert [protocol.rate_factor(epoch) for epoch in range(epochs)] == factors


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(250, (100, 50, 50, 50)), (200, (80, 40, 40, 40)), (4, (1, 1, 1, 1))],
)
def test_phases_of_another_schedule(epochs, expected):
    assert phases(epochs, "biotorch") == expected
    assert phases(3, "biotorch") == (3, 0, 0, 0)
    protocol = Protocol(epochs=epochs, schedule="biotorch")
    factors = [protocol.rate_factor(epoch) for epoch in range(epochs)]
    falls = zip((1, 0.1, 0.01, 0.001), expected, strict=True)
    assert factors == [factor for factor, count in falls for _ in range(count)]


def test_biotorch_preset_makes_the_steps_of_its_configuration():
    # benchmark_configs/cifar10/resnet_20/sgd/*.yaml
    batch, rates, decay, milestones = 128, (0.1, 0.001), 0.0001, (100, 150, 200)
    preset = PRESETS["biotorch"]
    assert (preset.epochs, preset.batch_size, preset.momentum) == (250, batch, 0.9)
    assert (preset.kernel_initializer, preset.bias_decay) == ("glorot_uniform", True)
    # Its loss is a mean, ours the sum.
    assert preset.loss_reduction == "sum"
    assert preset.learning_rates == tuple(rate / batch for rate in rates)
    assert preset.weight_decay == batch * decay
    for milestone in milestones:
        before, after = map(preset.rate_factor, (milestone - 1, milestone))
        assert after == pytest.approx(before / 10)
    assert len({preset.rate_factor(epoch) for epoch in range(250)}) == 4


def test_paper_preset_is_the_papers():
    paper = PRESETS["paper"]
    assert paper.epochs == 65
    assert paper.learning_rates == pytest.approx(
        [5e-4 * factor for factor in (100, 10, 1, 0.1, 0.01)]
    )
    assert paper.batch_size == 100
    assert paper.momentum == 0.9
    assert paper.statistics_batches == 20
    assert paper.statistics_alpha == 0.05


def test_the_quick_preset_differs_only_in_its_epochs():
    assert PRESETS["quick"].epochs == 6
    assert dataclasses.replace(PRESETS["quick"], epochs=65) == PRESETS["paper"]


def test_only_the_smoke_preset_limits_the_data():
    smoke = PRESETS["smoke"]
    assert (smoke.epochs, smoke.train_examples, smoke.test_examples) == (1, 500, 200)
    for name, preset in PRESETS.items():
        assert preset.architecture is None
        if name != "smoke":
            assert (preset.train_examples, preset.test_examples) == (None, None)


def test_chance_error():
    assert chance_error(10) == 0.9
    assert chance_error(4) == 0.75


@dataclasses.dataclass(frozen=True)
class Grown(Protocol):
    """A protocol with a field added after results existed."""

    noise: float = later_field(0.0)


def test_a_later_field_does_not_change_the_settings_of_older_results():
    assert Grown(epochs=3).settings() == Protocol(epochs=3).settings()
    settings = Grown(epochs=3, noise=0.5).settings()
    assert settings == Protocol(epochs=3).settings() | {"noise": 0.5}
    rates = settings.pop("learning_rates")
    assert Grown.from_settings(settings) == Grown(epochs=3, noise=0.5)
    assert rates == Grown.from_settings({**settings, "noise": 0.0}).learning_rates
    del settings["noise"]
    assert Grown.from_settings(settings) == Grown(epochs=3)
    del settings["momentum"]
    with pytest.raises(KeyError, match="momentum"):
        Grown.from_settings(settings)


def test_networks_that_fit():
    images, speech = (datasets.get(name) for name in ("mnist_5k", "timit80"))
    for architecture in (None, "large", "cifar", "svhn", "mnist"):
        Protocol(architecture=architecture).check(images)
    Protocol().check(speech)
    with pytest.raises(UsageError, match=r"mnist_5k has images, .* takes vectors: "):
        Protocol(architecture="timit").check(images)
    with pytest.raises(UsageError, match=r"'large' takes images: .* for vectors"):
        Protocol(architecture="large").check(speech)


def test_augmentation_is_for_images():
    images, speech = (datasets.get(name) for name in ("mnist_5k", "timit80"))
    Protocol(augmentation="standard").check(images)
    with pytest.raises(UsageError, match="--augmentation is for images, and timit80"):
        Protocol(augmentation="standard").check(speech)
