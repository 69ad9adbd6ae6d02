import dataclasses

import pytest

from keras_asymbp.benchmarks.tables import labels
from keras_asymbp.benchmarks.tables.protocol import PRESETS


@pytest.fixture
def setup(make_plan):
    return make_plan().setup


@pytest.fixture
def changed(setup):
    """Makes a setup with other values of the setup or the protocol."""

    def change(**values):
        own = {k: values.pop(k) for k in ("version", "seeds") if k in values}
        protocol = dataclasses.replace(setup.protocol, **values)
        return dataclasses.replace(setup, protocol=protocol, **own)

    return change


def test_one_setup_is_named_by_its_data_set(changed):
    assert labels.labels([changed(train_examples=500)]) == ("mnist_5k",)


def test_training_sets_of_several_sizes(changed):
    setups = [changed(train_examples=size) for size in (500, 1000, None)]
    assert labels.labels(setups) == (
        "mnist_5k, 500 training examples",
        "mnist_5k, 1,000 training examples",
        "mnist_5k",
    )


def test_versions_of_a_data_set(changed):
    setups = changed(version="3.0.1", seeds=(3,)), changed(version="sha256-0123")
    assert labels.labels(setups) == (
        "mnist_5k, version 3.0.1",
        "mnist_5k, version sha256-0123",
    )


def test_a_detail_that_tells_nothing_apart_is_left_out(changed):
    setups = [
        changed(train_examples=500, seeds=(0, 1)),
        changed(train_examples=500, epochs=3),
        changed(validation_share=0.1),
    ]
    assert labels.labels(setups) == (
        "mnist_5k, 500 training examples, quick, 6 epochs",
        "mnist_5k, 500 training examples, quick, 3 epochs",
        "mnist_5k",
    )


def test_setups_without_a_detail_of_their_own_are_numbered(changed):
    setups = changed(momentum=0.5), changed(momentum=0.6)
    assert labels.labels(setups) == ("mnist_5k, no. 1", "mnist_5k, no. 2")


def test_deviations_that_were_requested(setup, changed):
    assert not any(labels.requested(setup))
    older = changed(test_examples=2000, augmentation="standard", revision=1)
    assert [*filter(None, labels.requested(older))] == [
        "2,000 test examples",
        "standard augmentation",
        "revision 1 of the suite",
    ]
    paper = dataclasses.replace(setup, protocol=PRESETS["paper"])
    assert "the reading 'unit-he-sum-decay'" in labels.requested(paper)


@pytest.mark.parametrize(
    ("seeds", "expected"), [((0,), "seed 0"), ((0, 2), "seeds 0, 2")]
)
def test_seeds_are_never_read_as_none(seeds, expected):
    assert labels.seeds(seeds) == expected
