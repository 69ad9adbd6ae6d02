import importlib

import pytest
from absl import flags
from absl.testing import flagsaver

from keras_asymbp.benchmarks.commands.flags import Outcome
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables.protocol import PRESETS, Protocol


@pytest.fixture
def training():
    """The flags, of the command that has them, as a command line sets them."""
    main = importlib.import_module("keras_asymbp.benchmarks.commands.run")
    with flagsaver.flagsaver():

        def said(*arguments):
            flags.FLAGS(["-m", *arguments])
            return main._TRAINING

        yield said


def test_a_preset_and_what_is_said_instead(training):
    assert training().protocol() == PRESETS["quick"]
    said = training("--preset=smoke", "--epochs=3", "--learning_rates=0.5,0.25,0.5")
    assert said.protocol() == Protocol(
        epochs=3, learning_rates=(0.5, 0.25), train_examples=500, test_examples=200
    )
    said = training("--preset=paper", "--train_examples=20", "--test_examples=10")
    assert said.protocol() == Protocol(
        learning_rates=(0.5, 0.25), epochs=3, train_examples=20, test_examples=10
    )


def test_seeds_and_data_sets(training):
    assert training().seeds() == (0,)
    assert not training().datasets_said
    said = training("--seeds=3,1,3", "--datasets=mnist_5k")
    assert said.seeds() == (3, 1)
    assert said.datasets_said
    assert [(d.name, version) for d, version in said.rows()] == [("mnist_5k", "1")]


def test_what_failed_is_told(make_cell, tmp_path, capsys):
    store = Store(tmp_path)
    assert Outcome(store, {}, "").exit_code() == 0
    assert capsys.readouterr() == ("", "")
    cell = make_cell(seed=3, architecture="cifar")
    assert Outcome(store, {cell: "no memory"}, "").exit_code() == 1
    assert capsys.readouterr() == (
        "",
        "failed: mnist_5k cifar, SGD, seed 3: no memory\n"
        "the same command tries what failed again\n",
    )


def test_what_is_held_out_and_changed(training):
    assert not training().validation_said
    said = training("--validation_share=0.25", "--augmentation=standard")
    assert said.validation_said
    assert said.protocol().validation_share == 0.25
    assert said.protocol().augmentation == "standard"


@pytest.mark.parametrize("share", ["-0.1", "1", "nan"])
def test_refuses_what_is_no_share(training, share):
    said = training(f"--validation_share={share}")
    with pytest.raises(UsageError, match="--validation_share must be 0 or more and"):
        said.protocol()


def test_refuses_an_unknown_augmentation(training):
    said = training("--augmentation=mixup")
    with pytest.raises(UsageError, match="unknown augmentation 'mixup': choose from"):
        said.protocol()
