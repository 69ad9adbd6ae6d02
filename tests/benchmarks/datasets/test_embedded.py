import importlib.resources

import numpy as np
import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets.embedded import Npz


@pytest.fixture(scope="module")
def arrays():
    return datasets.get("mnist_5k").load()


@pytest.mark.parametrize(("split", "count"), [("train", 4000), ("test", 1000)])
def test_images_and_labels(split, count, arrays):
    images, labels = (getattr(arrays, f"{name}_{split}") for name in "xy")
    assert (images.shape, images.dtype) == ((count, 28, 28, 1), np.uint8)
    assert labels.shape == (count,)
    assert np.bincount(labels).tolist() == [count // 10] * 10
    assert (images.min(), images.max()) == (0, 255)


def test_no_image_is_in_both_splits(arrays):
    train, test = (
        {image.tobytes() for image in images}
        for images in (arrays.x_train, arrays.x_test)
    )
    assert not train & test
    assert len(train) == 4000


def test_it_needs_no_folder():
    dataset = datasets.get("mnist_5k")
    assert dataset.version() == dataset.version("no such folder") == "1"


def test_origin_and_licence_are_with_it():
    note = importlib.resources.files(datasets).joinpath("MNIST_5K.md").read_text()
    assert "LeCun" in note
    assert "Creative Commons" in note


def test_pickles_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    arrays = {key: np.array([{}]) for key in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        Npz(path).load(None)


@pytest.mark.slow
def test_it_is_a_part_of_mnist(arrays, tfds_data_dir):
    whole = datasets.get("mnist").load(tfds_data_dir)
    for split in ("train", "test"):
        images, labels = (getattr(whole, f"{name}_{split}") for name in "xy")
        known = {
            image.tobytes(): label for image, label in zip(images, labels, strict=True)
        }
        images, labels = (getattr(arrays, f"{name}_{split}") for name in "xy")
        for image, label in zip(images, labels, strict=True):
            assert known[image.tobytes()] == label
