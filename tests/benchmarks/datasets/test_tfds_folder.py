import numpy as np
import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets.tfds_folder import TfdsFolder
from keras_asymbp.benchmarks.errors import UsageError


@pytest.fixture
def folder(tmp_path):
    """A folder of data sets in which these versions are prepared."""

    def folder(*versions, name="toy"):
        for version in versions:
            (tmp_path / name / version).mkdir(parents=True)
            (tmp_path / name / version / "dataset_info.json").write_text("{}")
        return str(tmp_path)

    return folder


@pytest.mark.parametrize(
    ("versions", "newest"),
    [
        (["1.0.0"], "1.0.0"),
        (["1.0.0", "10.0.0", "9.9.9"], "10.0.0"),
        (["3.0.1", "3.0.10", "3.0.2"], "3.0.10"),
        # What TFDS leaves of a preparation that was cut short.
        (["1.0.0", "incomplete.ABCDEF_2.0.0", "2.0.0.incompleteABC"], "1.0.0"),
    ],
)
def test_the_newest_version_counts(versions, newest, folder):
    assert TfdsFolder("toy").version(folder(*versions)) == newest


def test_a_version_without_its_description_is_not_prepared(folder, tmp_path):
    data_dir = folder("1.0.0")
    (tmp_path / "toy" / "2.0.0").mkdir()
    (tmp_path / "toy" / "2.0.0" / "toy-train.tfrecord-00000-of-00001").touch()
    assert TfdsFolder("toy").version(data_dir) == "1.0.0"


@pytest.mark.parametrize("state", ["no folder", "empty", "another data set", "a file"])
@pytest.mark.parametrize("function", ["version", "load"])
def test_a_data_set_that_is_not_there(function, state, folder, tmp_path):
    data_dir = tmp_path
    match state:
        case "no folder":
            data_dir = tmp_path / "nowhere"
        case "another data set":
            folder("1.0.0", name="other")
        case "a file":
            data_dir = tmp_path / "file"
            data_dir.touch()
    with pytest.raises(UsageError, match="'toy' is not prepared") as error:
        getattr(TfdsFolder("toy"), function)(str(data_dir))
    assert str(data_dir) in str(error.value)
    assert "--data_dir" in str(error.value)
    assert "tfds.load('toy'" in str(error.value)
    assert "\n" not in str(error.value)


def test_where_it_looks_without_a_folder(folder, tmp_path, monkeypatch):
    folder("1.0.0")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert TfdsFolder("toy").version(None) == "1.0.0"
    assert TfdsFolder("toy").version("") == "1.0.0"
    with pytest.raises(UsageError):
        TfdsFolder("toy").version(str(tmp_path / "elsewhere"))
    monkeypatch.delenv("TFDS_DATA_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UsageError, match=f"{tmp_path}/tensorflow_datasets"):
        TfdsFolder("toy").version(None)
    folder("2.0.0", name="tensorflow_datasets/toy")
    assert TfdsFolder("toy").version(None) == "2.0.0"
    assert TfdsFolder("toy").version("~/tensorflow_datasets") == "2.0.0"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A real prepared data set in two versions, of 3 + 2 and of 7 + 2 images."""
    import tensorflow_datasets as tfds

    folder = tmp_path_factory.mktemp("tfds")

    def images(count):
        return np.arange(count * 12, dtype=np.uint8).reshape(count, 2, 3, 2)

    class Toy(tfds.core.GeneratorBasedBuilder):
        pkg_dir_path = folder

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Tensor(shape=(2, 3, 2), dtype=np.uint8),
                        "label": tfds.features.ClassLabel(num_classes=9),
                    }
                ),
                supervised_keys=("image", "label"),
            )

        def _split_generators(self, dl_manager):
            count = {"1.0.0": 3, "10.0.0": 7}[str(self.version)]
            return {
                "train": self._generate_examples(count),
                "test": self._generate_examples(2),
            }

        def _generate_examples(self, count):
            for number, image in enumerate(images(count)):
                yield number, {"image": image, "label": number}

    tfds.disable_progress_bar()
    for version in ("1.0.0", "10.0.0"):
        Toy.VERSION = tfds.core.Version(version)
        Toy(data_dir=folder).download_and_prepare()
    return folder, images


def test_load(prepared):
    folder, images = prepared
    x_train, y_train, x_test, y_test = TfdsFolder("toy").load(str(folder))
    for x, y, count in ((x_train, y_train, 7), (x_test, y_test, 2)):
        order = np.argsort(y)
        np.testing.assert_array_equal(y[order], np.arange(count))
        np.testing.assert_array_equal(x[order], images(count))
        assert x.dtype == np.uint8


def test_counts_need_no_loading(prepared, monkeypatch):
    monkeypatch.setattr(TfdsFolder, "load", None)
    assert TfdsFolder("toy").counts(str(prepared[0])) == (7, 2)


def test_load_asks_no_network(prepared, monkeypatch):
    import socket

    def refuse(*args):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert len(TfdsFolder("toy").load(str(prepared[0]))) == 4


@pytest.mark.slow
def test_cifar10(tfds_data_dir):
    dataset = datasets.get("cifar10")
    assert dataset.counts(tfds_data_dir) == (50_000, 10_000)
    arrays = dataset.load(tfds_data_dir)
    for split, count in (("train", 5000), ("test", 1000)):
        images, labels = (getattr(arrays, f"{name}_{split}") for name in "xy")
        assert (images.shape, images.dtype) == ((10 * count, 32, 32, 3), np.uint8)
        assert np.bincount(labels).tolist() == [count] * 10


@pytest.mark.slow
def test_mnist(tfds_data_dir):
    arrays = datasets.get("mnist").load(tfds_data_dir)
    assert (arrays.x_train.shape, arrays.x_train.dtype) == (
        (60000, 28, 28, 1),
        np.uint8,
    )
    assert (arrays.x_test.shape, arrays.x_test.dtype) == ((10000, 28, 28, 1), np.uint8)
    assert np.bincount(arrays.y_train).tolist() == [
        *(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
    ]
    assert np.bincount(arrays.y_test).tolist() == [
        *(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)
    ]
