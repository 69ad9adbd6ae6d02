import dataclasses

import numpy as np
import pytest

from keras_asymbp.benchmarks import datasets, paper
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.protocol import Protocol
from keras_asymbp.benchmarks.table1 import ARCHITECTURES

every_dataset = pytest.mark.parametrize(
    "dataset", datasets.DATASETS.values(), ids=list(datasets.DATASETS)
)


@every_dataset
def test_a_data_set_is_of_what_there_is(dataset):
    assert datasets.get(dataset.name) is dataset
    assert dataset.architecture in ARCHITECTURES
    assert paper.error(dataset.paper, "SGD") is not None
    assert "\n" not in dataset.description


def test_unknown_data_set():
    with pytest.raises(
        UsageError, match=r"unknown data set 'MNIST': .*mnist_5k, mnist"
    ):
        datasets.get("MNIST")


def test_a_data_set_is_its_source():
    @dataclasses.dataclass(frozen=True)
    class Source:
        def version(self, data_dir):
            return f"version in {data_dir}"

        def counts(self, data_dir):
            return 1, 1

        def load(self, data_dir):
            return tuple(np.array([number]) for number in range(4))

    dataset = datasets.Dataset("x", "", "MNIST", 10, "mnist", Source())
    assert dataset.version("folder") == "version in folder"
    arrays = dataset.load()
    assert (arrays.x_train, arrays.y_train, arrays.x_test, arrays.y_test) == (
        0,
        1,
        2,
        3,
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"train_examples": 4001}, ["--train_examples 4001", "4000", "mnist_5k"]),
        ({"test_examples": 1001}, ["--test_examples 1001", "1000", "mnist_5k"]),
        ({"architecture": "timit"}, ["'timit'", "mnist_5k", "large, mnist, cifar"]),
    ],
)
def test_a_protocol_that_the_data_set_cannot_meet(settings, words):
    with pytest.raises(UsageError) as error:
        datasets.get("mnist_5k").check(Protocol(**settings))
    for word in words:
        assert word in str(error.value)


def test_a_protocol_that_it_can_meet():
    dataset = datasets.get("mnist_5k")
    assert dataset.counts() == (4000, 1000)
    dataset.check(Protocol())
    dataset.check(Protocol(train_examples=4000, test_examples=1000))
    for architecture in ("large", "cifar", "svhn", "mnist"):
        dataset.check(Protocol(architecture=architecture))


def test_importing_it_imports_neither_tensorflow_nor_tfds(run_python):
    # A program's name that is the command line's: else the library itself is imported.
    run_python(
        "import sys; sys.argv = ['-m']\n"
        "from keras_asymbp.benchmarks import datasets\n"
        "assert datasets.get('mnist_5k').version() == '1'\n"
        "assert not {'tensorflow', 'keras', 'tensorflow_datasets'} & set(sys.modules)"
    )
