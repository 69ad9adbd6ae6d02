import dataclasses

import numpy as np
import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.errors import NotPreparedError, UsageError


@dataclasses.dataclass(frozen=True)
class Source:
    """A source of numbers: each example is its own label."""

    train: tuple[int, ...] = (0, 1, 2)
    test: tuple[int, ...] = (2,)
    in_memory: bool = True

    def version(self, data_dir):
        if data_dir == "empty":
            raise NotPreparedError("x is not prepared in empty")
        return f"version in {data_dir}"

    def labels(self, data_dir):
        return tuple(np.array(s, np.uint8) for s in (self.train, self.test))

    def inputs(self, split, data_dir):
        for number in getattr(self, split):
            yield np.array([[number]], np.float32)


def make(**changes):
    return datasets.Dataset("x", "", "MNIST", 3, "mnist", Source(**changes))


def test_versions_and_arrays_come_from_the_source():
    dataset = make()
    assert dataset.version("folder") == "version in folder"
    arrays = dataset.load()
    assert arrays.x_train.tolist() == [[0], [1], [2]]
    assert arrays.y_train.tolist() == [0, 1, 2]
    assert (arrays.x_test.tolist(), arrays.y_test.tolist()) == ([[2]], [2])
    assert arrays.y_train.dtype == np.int64


def test_a_missing_data_set_raises_the_command_that_prepares_it():
    with pytest.raises(NotPreparedError) as error:
        make().version("empty")
    message = str(error.value)
    assert message.startswith("x is not prepared in empty: ")
    command = "python -m keras_asymbp.benchmarks.datasets --prepare x --data_dir empty"
    assert command in message
    assert "\n" not in message


@pytest.mark.parametrize("labels", [{"train": (0, 3)}, {"test": (200, 1)}])
def test_a_label_out_of_range(labels):
    with pytest.raises(UsageError, match=r"labels from . to .*expected 3 classes"):
        make(**labels).labels()
