import dataclasses

import numpy as np
import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.errors import NotPreparedError, UsageError


@dataclasses.dataclass(frozen=True)
class Source:
    """A source of numbers: each example is its own label."""

    train: tuple[int, ...] = (0, 1, 2, 0)
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
    assert arrays.x_train.tolist() == [[0], [1], [2], [0]]
    assert arrays.y_train.tolist() == [0, 1, 2, 0]
    assert (arrays.x_test.tolist(), arrays.y_test.tolist()) == ([[2]], [2])
    assert arrays.y_train.dtype == np.int64


def test_a_missing_data_set_raises_the_command_that_prepares_it():
    with pytest.raises(NotPreparedError) as error:
        make().version("empty")
    message = str(error.value)
    assert message.startswith("x is not prepared in empty: ")
    command = "keras-asymbp datasets --prepare x --data_dir empty"
    assert command in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train": (0, 3, 2, 0)}, "labels from 0 to 3: expected 3 classes"),
        ({"test": (200, 1)}, "test examples of 1 class"),
        ({"train": ()}, "training labels of x are missing"),
    ],
)
def test_labels_are_checked(changes, words):
    with pytest.raises(UsageError, match=words):
        make(**changes).labels()


def test_counts_are_those_that_are_declared():
    dataset = dataclasses.replace(make(), counts=(4, 1))
    assert len(dataset.load().x_train) == 4
    with pytest.raises(UsageError, match=r"x has 4 \+ 1 training.*expected 4 \+ 2;"):
        dataclasses.replace(dataset, counts=(4, 2)).load()


def test_inputs_are_checked():
    class Noise(Source):
        def inputs(self, split, data_dir):
            yield np.full((4, 1), np.nan)

    with pytest.raises(UsageError, match="training inputs of x are not finite"):
        dataclasses.replace(make(), source=Noise()).load()
