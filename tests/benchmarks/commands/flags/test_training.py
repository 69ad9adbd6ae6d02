import pytest
from absl import flags

from keras_asymbp.benchmarks.commands.flags.training import TrainingFlags
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.tables.protocol import PRESETS, Protocol


def parse(*arguments):
    """The flags of a command that trains, as a command line sets them."""
    values = flags.FlagValues()
    given = TrainingFlags(values=values)
    values(["program", *arguments])
    return given


def test_a_preset_and_changes_to_it():
    assert parse().protocol() == PRESETS["quick"]
    given = parse("--preset=smoke", "--epochs=3", "--learning_rates=0.5,0.25,0.5")
    assert given.learning_rates == ["0.5", "0.25", "0.5"]
    assert given.protocol() == Protocol(
        epochs=3, learning_rates=(0.5, 0.25), train_examples=500, test_examples=200
    )
    given = parse("--preset=paper", "--train_examples=20", "--test_examples=10")
    assert given.learning_rates is None
    assert given.protocol() == Protocol(train_examples=20, test_examples=10)


def test_seeds_and_data_sets():
    assert parse().seeds() == (0,)
    assert not parse().datasets_given
    given = parse("--seeds=3,1,3", "--datasets=mnist_5k")
    assert given.seeds() == (3, 1)
    assert given.datasets_given
    assert [(d.name, version) for d, version in given.rows()] == [("mnist_5k", "1")]


def test_folders():
    given = parse("--data_dir=data", "--results_dir=mine")
    assert (given.data_dir.value, given.results_dir.value) == ("data", "mine")
    assert (parse().data_dir.value, parse().results_dir.value) == (None, "results")


def test_a_dry_run_may_lack_data_sets(tmp_path):
    arguments = ["--datasets=mnist", f"--data_dir={tmp_path}"]
    with pytest.raises(UsageError, match="'mnist' is not prepared"):
        parse(*arguments).rows()
    ((dataset, version),) = parse(*arguments, "--dry_run").rows()
    assert (dataset.name, version) == ("mnist", "none")


def test_execution():
    assert not parse().jobs_given
    assert parse().execution().jobs == 1
    given = parse("--executor=ray", "--num_gpus=0.5", "--retries=1", "--deterministic")
    execution = given.execution()
    assert (execution.executor, execution.num_gpus) == ("ray", 0.5)
    assert (execution.retries, execution.deterministic) == (1, True)


def test_validation_share_and_augmentation():
    assert not parse().validation_share_given
    given = parse("--validation_share=0.25", "--augmentation=standard")
    assert given.validation_share_given
    assert given.protocol().validation_share == 0.25
    assert given.protocol().augmentation == "standard"


@pytest.mark.parametrize("share", ["-0.1", "1", "nan"])
def test_a_share_outside_its_range_is_refused(share):
    given = parse(f"--validation_share={share}")
    with pytest.raises(UsageError, match="--validation_share must be 0 or more and"):
        given.protocol()


def test_an_unknown_augmentation_is_refused():
    given = parse("--augmentation=mixup")
    with pytest.raises(UsageError, match="unknown augmentation 'mixup': choose from"):
        given.protocol()


@pytest.mark.parametrize("name", ["epochs", "jobs", "threads", "retries", "lanes"])
def test_an_integer_of_more_than_32_bits_is_refused(name):
    parse(f"--{name}={2**31 - 1}")
    with pytest.raises(flags.IllegalFlagValueError, match="whole number below 2"):
        parse(f"--{name}={2**31}")


def test_a_study_takes_one_data_set():
    setup = parse("--datasets=mnist_5k", "--preset=smoke").setup("the study")
    assert (setup.dataset.name, setup.version) == ("mnist_5k", "1")
    assert (setup.protocol, setup.preset) == (PRESETS["smoke"], "smoke")
    assert setup.seeds == (0,)
    with pytest.raises(UsageError, match="names 2 data sets: the study takes one"):
        parse("--datasets=mnist_5k,mnist", "--dry_run").setup("the study")


def test_names_of_another_case_are_read_as_the_known_ones():
    given = parse("--preset=QUICK", "--augmentation=Standard", "--executor=LOCAL")
    assert given.preset.value == "quick"
    assert given.protocol().augmentation == "standard"
    assert given.execution().executor == "local"
    # It could also be a file, a folder or a data set of TFDS.
    assert parse("--datasets=MNIST").datasets.value == ["MNIST"]
    with pytest.raises(UsageError, match="'MNIST': did you mean 'mnist'\\?"):
        parse("--datasets=MNIST").rows()


@pytest.mark.parametrize("backend", [["--backend=tensorflow"], []])
def test_whole_epochs_are_refused_before_any_work(backend, monkeypatch):
    monkeypatch.setattr("keras_asymbp.benchmarks.environment.backend", lambda: "torch")
    with pytest.raises(UsageError, match="--whole_epochs needs JAX"):
        parse("--whole_epochs", *backend).execution()
    assert parse("--whole_epochs", "--backend=jax").execution().whole_epochs
    assert parse("--nowhole_epochs", *backend).execution().whole_epochs is False
