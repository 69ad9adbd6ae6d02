import importlib.resources

import numpy as np
import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets.npz import Npz
from keras_asymbp.benchmarks.errors import UsageError


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


def test_the_embedded_data_set_needs_no_folder():
    dataset = datasets.get("mnist_5k")
    assert dataset.version() == dataset.version("no such folder") == "1"


def test_origin_and_licence_are_in_the_package():
    note = importlib.resources.files(datasets).joinpath("MNIST_5K.md").read_text()
    assert "LeCun" in note
    assert "Creative Commons" in note


@pytest.fixture
def write(tmp_path):
    """Writes a small .npz data set with changed arrays; None leaves one out."""

    def write(**changes):
        arrays = {
            "x_train": np.arange(24, dtype=np.uint8).reshape(6, 2, 2),
            "y_train": np.arange(6) % 2,
            "x_test": np.arange(8, dtype=np.uint8).reshape(2, 2, 2),
            "y_test": np.array([1, 0]),
        } | changes
        path = tmp_path / "x.npz"
        np.savez(path, **{key: a for key, a in arrays.items() if a is not None})
        return path, arrays

    return write


def test_images_get_a_channel_axis_and_vectors_do_not(write):
    path, arrays = write()
    (inputs,) = Npz(path).inputs("train", None)
    np.testing.assert_array_equal(inputs[..., 0], arrays["x_train"])
    train, test = Npz(path).labels(None)
    assert (train.tolist(), test.tolist()) == ([0, 1] * 3, [1, 0])
    vectors = np.ones((6, 5), np.float32)
    path, _ = write(x_train=vectors, x_test=vectors[:2])
    (inputs,) = Npz(path).inputs("train", None)
    np.testing.assert_array_equal(inputs, vectors)


def test_the_version_follows_the_content(write):
    path, _ = write()
    version = Npz(path).version(None)
    assert version.startswith("sha256-")
    copy = path.with_name("y.npz")
    copy.write_bytes(path.read_bytes())
    assert Npz(copy).version(None) == version
    write(y_test=np.array([1, 1]))
    assert Npz(path).version(None) != version
    with pytest.raises(UsageError, match=r"can't read .*none.npz"):
        Npz(path.with_name("none.npz")).version(None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y_test": None}, "has no array y_test"),
        ({"x_train": np.array([{}] * 6)}, "pickled Python objects"),
    ],
)
def test_an_unusable_file(changes, words, write):
    path, _ = write(**changes)
    with pytest.raises(UsageError, match=words) as error:
        datasets.Dataset("x", "", None, 2, "mnist", Npz(path)).load()
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y_train": np.arange(5) % 2}, r"has 6 training inputs and 5 labels"),
        ({"y_train": np.eye(6, dtype=int)}, r"training labels of x are one-hot"),
        ({"x_test": np.zeros((2, 3, 2), np.uint8)}, "test inputs of x are 3 x 2 x 1"),
    ],
)
def test_its_arrays_are_checked(changes, words, write):
    path, _ = write(**changes)
    with pytest.raises(UsageError, match=words):
        datasets.Dataset("x", "", None, 2, "mnist", Npz(path)).load()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and then nothing"])
def test_a_damaged_file(content, tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"can't read .*x.npz \("):
        Npz(path).labels(None)


@pytest.mark.slow
def test_the_embedded_images_are_in_mnist(arrays, tfds_data_dir):
    whole = datasets.get("mnist").load(tfds_data_dir)
    for split in ("train", "test"):
        images, labels = (getattr(whole, f"{name}_{split}") for name in "xy")
        known = {
            image.tobytes(): label for image, label in zip(images, labels, strict=True)
        }
        images, labels = (getattr(arrays, f"{name}_{split}") for name in "xy")
        for image, label in zip(images, labels, strict=True):
            assert known[image.tobytes()] == label
