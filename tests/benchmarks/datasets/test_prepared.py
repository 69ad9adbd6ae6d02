import dataclasses
import os
import time

import numpy as np
import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets import prepared
from keras_asymbp.benchmarks.datasets.cutting import balanced
from keras_asymbp.benchmarks.datasets.prepared import Fit
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.tables.protocol import PRESETS, Protocol

SHAPE = (8, 6, 3)


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """Grey images of different sizes, one by one; the colour is the label."""

    labels_: dict
    reads: list = dataclasses.field(default_factory=list)
    fails_after: int | None = None
    in_memory: bool = False

    def version(self, data_dir):
        return "1/2"

    def labels(self, data_dir):
        return tuple(np.array(self.labels_[split]) for split in ("train", "test"))

    def inputs(self, split, data_dir):
        self.reads.append(split)
        for number, label in enumerate(self.labels_[split]):
            if number == self.fails_after:
                raise KeyboardInterrupt
            yield np.full((1, 5 + number, 9, 1), label, np.uint8)


@pytest.fixture
def dataset():
    source = Source({"train": [0, 1, 2, 1], "test": [2, 0]})
    return datasets.Dataset("x y", "", "MNIST", 3, "large", source)


def test_a_data_set_is_fitted_once_then_memory_mapped(dataset, cache):
    for _ in range(2):
        arrays = prepared.load(Fit(dataset, SHAPE))
        for split, labels in dataset.source.labels_.items():
            inputs = getattr(arrays, f"x_{split}")
            assert isinstance(inputs, np.memmap)
            assert (inputs.shape, inputs.dtype) == ((len(labels), *SHAPE), np.uint8)
            for image, label in zip(inputs, labels, strict=True):
                assert (image == label).all()
            assert getattr(arrays, f"y_{split}").tolist() == labels
    assert dataset.source.reads == ["train", "test"]
    assert [path.name.rpartition("-")[0] for path in cache.iterdir()] == [
        "x_y-1_2-8x6x3-pillow-1"
    ]


def test_shapes_and_names_have_separate_folders(dataset):
    folder = Fit(dataset, SHAPE).folder()
    other = dataclasses.replace(dataset, name="x_y")
    assert Fit(other, SHAPE).folder() != folder
    assert Fit(dataset, (8, 6, 1)).folder() != folder
    assert Fit(dataclasses.replace(dataset), SHAPE).folder() == folder


def test_another_way_of_fitting_has_another_folder(dataset, monkeypatch):
    folder = Fit(dataset, SHAPE).folder()
    monkeypatch.setattr(prepared, "FITTING", "pillow-2")
    assert Fit(dataset, SHAPE).folder() != folder


def test_data_in_memory_of_the_right_shape_is_not_cached(cache):
    digits = datasets.get("mnist_5k")
    arrays = prepared.load(Fit(digits, (28, 28, 1)))
    assert not cache.exists()
    assert arrays.x_train.shape == (4000, 28, 28, 1)
    arrays = prepared.load(Fit(digits, (8, 8, 3)))
    assert arrays.x_train.shape == (4000, 8, 8, 3)
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 8, 3)])
def test_a_balanced_part(shape, cache):
    digits = datasets.get("mnist_5k")
    part = prepared.load(Fit(digits, shape, 25, 10))
    whole = prepared.load(Fit(digits, shape))
    for split, count in (("train", 25), ("test", 10)):
        x, y = (getattr(part, f"{name}_{split}") for name in "xy")
        assert (len(x), len(y)) == (count, count)
        per_class = np.bincount(y)
        assert per_class.max() - per_class.min() <= 1
        # The first examples of each class, in the original order.
        first = balanced(getattr(whole, f"y_{split}"), count)
        np.testing.assert_array_equal(x, getattr(whole, f"x_{split}")[first])
        np.testing.assert_array_equal(y, getattr(whole, f"y_{split}")[first])
    folders = {Fit(digits, shape, *n).folder() for n in ((), (25, 10), (25,), (10, 25))}
    assert len(folders) == 4


def test_images_come_in_batches_of_any_size(dataset):
    class Batches(Source):
        def inputs(self, split, data_dir):
            images = np.stack([np.full(SHAPE, n) for n in self.labels_[split]])
            yield from np.split(images.astype(np.uint8), [3])

    labels = {"train": [0, 0, 0, 1, 0, 1], "test": [0, 0, 0, 1]}
    batches = dataclasses.replace(dataset, source=Batches(labels))
    arrays = prepared.load(Fit(batches, SHAPE, 3, 2))
    assert arrays.y_train.tolist() == arrays.x_train[:, 0, 0, 0].tolist() == [0, 0, 1]
    assert arrays.y_test.tolist() == arrays.x_test[:, 0, 0, 0].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((4001,), r"train_examples of mnist_5k: 4001 .* 4000"),
        ((None, 1001), r"test_examples of mnist_5k: 1001 .* 1000"),
    ],
)
def test_more_examples_than_available(counts, words):
    with pytest.raises(UsageError, match=words):
        prepared.load(Fit(datasets.get("mnist_5k"), (28, 28, 1), *counts))


def test_a_protocol_fits_a_data_set_to_its_network():
    digits = datasets.get("mnist_5k")
    assert Protocol().fit(digits) == Fit(digits, (28, 28, 1))
    smoke = dataclasses.replace(PRESETS["smoke"], architecture="large")
    assert smoke.fit(digits, "d") == Fit(digits, (119, 119, 3), 500, 200, "d")


@pytest.mark.parametrize("fails_after", [0, 2])
def test_an_interrupted_preparation_leaves_nothing(fails_after, dataset, cache):
    source = dataclasses.replace(dataset.source, fails_after=fails_after)
    with pytest.raises(KeyboardInterrupt):
        prepared.load(Fit(dataclasses.replace(dataset, source=source), SHAPE))
    assert list(cache.iterdir()) == []
    assert len(prepared.load(Fit(dataset, SHAPE)).x_train) == 4


def test_a_killed_preparation_is_ignored_and_later_removed(cache, run_python):
    code = (
        "import os, signal\n"
        "from keras_asymbp.benchmarks import datasets\n"
        "from keras_asymbp.benchmarks.datasets import prepared\n"
        "def track(rows, description, total):\n"
        "    for number, row in enumerate(rows):\n"
        "        if number == 300: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        yield row\n"
        "prepared.load(prepared.Fit(datasets.get('mnist_5k'), (8, 8, 1)), track)\n"
    )
    with pytest.raises(AssertionError):
        run_python(code)
    (leftover,) = cache.iterdir()
    assert leftover.name.startswith(".incomplete-")
    digits = datasets.get("mnist_5k")
    assert not Fit(digits, (8, 8, 1)).folder().exists()
    assert len(prepared.load(Fit(digits, (8, 8, 1))).x_train) == 4000
    # Its process might still be at work; a day later it is not.
    assert leftover.exists()
    os.utime(leftover, (time.time() - 2 * 24 * 60 * 60,) * 2)
    prepared.load(Fit(digits, (8, 9, 1)))
    assert not leftover.exists()


def test_another_process_may_finish_first(dataset, cache):
    class Overtaken(Source):
        """Another process prepares the same data set while this one is read."""

        def inputs(self, split, data_dir):
            yield from super().inputs(split, data_dir)
            if split == "test":
                prepared.load(Fit(dataset, SHAPE))
                self.reads.append("overtaken")

    source = Overtaken(dataset.source.labels_)
    overtaken = Fit(dataclasses.replace(dataset, source=source), SHAPE)
    assert overtaken.folder() == Fit(dataset, SHAPE).folder()
    assert len(prepared.load(overtaken).x_train) == 4
    assert source.reads == ["train", "test", "overtaken"]
    assert dataset.source.reads == ["train", "test"]
    assert list(cache.iterdir()) == [overtaken.folder()]


def test_progress_goes_to_the_given_function(dataset):
    shown = []

    def track(rows, description, total):
        shown.append((description, total))
        return rows

    prepared.load(Fit(dataset, SHAPE), track)
    prepared.load(Fit(dataset, SHAPE), track)
    assert shown == [("preparing x y, train", 4), ("preparing x y, test", 2)]


def test_a_cache_that_cannot_be_written(dataset, cache):
    cache.touch()  # a file where the folder belongs
    with pytest.raises(UsageError, match=r"can't write x y to .*KERAS_ASYMBP_CACHE"):
        prepared.load(Fit(dataset, SHAPE))


def cut(path):
    os.truncate(path, 200)


def promise_too_much(path):
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**13, *SHAPE)}
        np.lib.format.write_array_header_1_0(file, header)


def put(array):
    return lambda path: np.save(path, array)


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("x_train", cut),
        ("y_test", lambda path: path.unlink()),
        ("x_test", promise_too_much),
        ("x_train", put(np.zeros((4, 6, 8, 3), np.uint8))),
        ("x_train", put(np.zeros((4, *SHAPE), np.int32))),
        ("x_train", put(np.full((4, *SHAPE), np.nan))),
        ("x_train", put(np.uint8(1))),
        ("x_train", put(np.zeros((5, *SHAPE), np.uint8))),
        ("y_train", put(np.arange(5))),
        ("y_train", put(np.array([0, 1, 2, -1]))),
        ("y_train", put(np.array([0, 1, 2, 3]))),
        ("y_train", put(np.array([0.0, 1.0, 2.0, 1.0]))),
        ("y_train", put(np.zeros((4, 1), int))),
        ("y_train", put(np.array(["a"] * 4, object))),
        ("y_test", lambda path: path.write_bytes(b"PK no array")),
    ],
)
def test_a_damaged_folder_is_named(file, damage, dataset):
    prepared.load(Fit(dataset, SHAPE))
    folder = Fit(dataset, SHAPE).folder()
    damage(folder / f"{file}.npy")
    with pytest.raises(UsageError, match=r"can't read .*: delete its folder") as error:
        prepared.load(Fit(dataset, SHAPE))
    assert str(folder) in str(error.value)


def test_both_splits_of_a_folder_have_the_shape_of_the_network(dataset):
    prepared.load(Fit(dataset, SHAPE))
    folder = Fit(dataset, SHAPE).folder()
    for split, count in (("train", 4), ("test", 2)):
        np.save(folder / f"x_{split}.npy", np.zeros((count, 6, 8, 3), np.uint8))
    with pytest.raises(UsageError, match=r"\(it has inputs of shape \(6, 8, 3\)\)"):
        prepared.load(Fit(dataset, SHAPE))
    assert list(prepared.damaged(folder.parent)) == []  # it knows no networks


def test_an_incomplete_source(dataset, cache):
    class Short(Source):
        def inputs(self, split, data_dir):
            yield np.zeros((1, 5, 5, 1), np.uint8)

    short = dataclasses.replace(dataset, source=Short(dataset.source.labels_))
    with pytest.raises(UsageError, match="x y has 1 training inputs and 4 labels"):
        prepared.load(Fit(short, SHAPE))
    assert list(cache.iterdir()) == []


def test_inputs_that_cannot_be_resized(dataset):
    with pytest.raises(UsageError, match=r"shape \(5, 9, 1\) don't fit"):
        prepared.load(Fit(dataset, (1845,)))


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"KERAS_ASYMBP_CACHE": "/a"}, "/a"),
        ({"KERAS_ASYMBP_CACHE": "", "KERAS_HOME": "/k"}, "/k/keras_asymbp"),
        ({"KERAS_ASYMBP_CACHE": "", "HOME": "/h"}, "/h/.keras/keras_asymbp"),
    ],
)
def test_the_folder_of_the_cache(environment, folder, monkeypatch):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert str(prepared.cache_root()) == folder


def test_a_large_data_set_needs_little_memory(run_python):
    """3,000 images of 119 x 119 are 127 MB; memory holds one batch of them."""
    code = (
        "import resource, sys\n"
        "import numpy as np\n"
        "from keras_asymbp.benchmarks import datasets\n"
        "from keras_asymbp.benchmarks.datasets import prepared\n"
        "class Source:\n"
        "    in_memory = False\n"
        "    version = lambda self, data_dir: '1'\n"
        "    labels = lambda self, data_dir: (np.arange(3000) % 2, np.arange(2))\n"
        "    def inputs(self, split, data_dir):\n"
        "        for _ in range(3000 if split == 'train' else 2):\n"
        "            yield np.zeros((1, 119, 119, 3), np.uint8)\n"
        "dataset = datasets.Dataset('big', '', None, 2, 'large', Source())\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "before = peak()\n"
        "prepared.load(prepared.Fit(dataset, (119, 119, 3)))\n"
        "assert peak() - before < 60, (before, peak())\n"
    )
    run_python(code)
