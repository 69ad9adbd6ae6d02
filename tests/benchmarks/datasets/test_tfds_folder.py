import json
import shutil
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets import reading, subset
from keras_asymbp.benchmarks.datasets.tfds_folder import TfdsFolder, bundled_builder
from keras_asymbp.benchmarks.errors import NotPreparedError, UsageError


@pytest.fixture
def folder(tmp_path):
    """Makes a folder of data sets with these prepared versions."""

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
        # Leftovers of an interrupted preparation by TFDS.
        (["1.0.0", "incomplete.ABCDEF_2.0.0", "2.0.0.incompleteABC"], "1.0.0"),
    ],
)
def test_the_newest_version_counts(versions, newest, folder):
    assert TfdsFolder("toy").folder(folder(*versions)).name == newest


def test_a_version_without_its_description_is_not_prepared(folder, tmp_path):
    data_dir = folder("1.0.0")
    (tmp_path / "toy" / "2.0.0").mkdir()
    (tmp_path / "toy" / "2.0.0" / "toy-train.tfrecord-00000-of-00001").touch()
    assert TfdsFolder("toy").folder(data_dir).name == "1.0.0"


@pytest.mark.parametrize("state", ["no folder", "empty", "another data set", "a file"])
@pytest.mark.parametrize("function", ["version", "labels", "folder"])
def test_a_missing_data_set(function, state, folder, tmp_path):
    data_dir = tmp_path
    match state:
        case "no folder":
            data_dir = tmp_path / "nowhere"
        case "another data set":
            folder("1.0.0", name="other")
        case "a file":
            data_dir = tmp_path / "file"
            data_dir.touch()
    with pytest.raises(NotPreparedError, match="'toy' is not prepared") as error:
        getattr(TfdsFolder("toy"), function)(str(data_dir))
    assert str(data_dir) in str(error.value)


def test_the_default_folder(folder, tmp_path, monkeypatch):
    folder("1.0.0")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert TfdsFolder("toy").folder(None).name == "1.0.0"
    assert TfdsFolder("toy").folder("").name == "1.0.0"
    with pytest.raises(UsageError):
        TfdsFolder("toy").version(str(tmp_path / "elsewhere"))
    monkeypatch.delenv("TFDS_DATA_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UsageError, match=f"{tmp_path}/tensorflow_datasets"):
        TfdsFolder("toy").version(None)
    folder("2.0.0", name="tensorflow_datasets/toy")
    assert TfdsFolder("toy").folder(None).name == "2.0.0"
    assert TfdsFolder("toy").folder("~/tensorflow_datasets").name == "2.0.0"


def image(number, size):
    return np.full((*size, 3), number, np.uint8)


@pytest.fixture(params=["with TFDS", "without"])
def reader(request, monkeypatch):
    """Reads in either way."""
    monkeypatch.setattr(reading, "has_tfds", lambda: request.param == "with TFDS")
    return request.param


@pytest.fixture(scope="module")
def prepared(prepare_tfds, tmp_path_factory):
    """Real prepared data sets.

    Toy has two versions, of 3 + 2 and 7 + 2 images of one size. People has two splits
    of images of different sizes, with names as labels, which are its first feature.
    Speech has vectors.
    """
    tfds = pytest.importorskip("tensorflow_datasets")

    folder = tmp_path_factory.mktemp("tfds")
    features = {
        "image": tfds.features.Image(shape=(2, 5, 3)),
        "label": tfds.features.ClassLabel(num_classes=7),
    }
    toy = [{"image": image(n, (2, 5)), "label": n} for n in range(7)]
    for version, count in (("1.0.0", 3), ("10.0.0", 7)):
        splits = {"train": toy[:count], "test": toy[:2]}
        prepare_tfds(folder, "toy", features, splits, version=version)

    features = {
        "label": tfds.features.Text(),
        "image": tfds.features.Image(shape=(None, None, 3)),
    }
    people = [
        {"image": image(n, (2 + n % 3, 4)), "label": "zoe" if n % 2 else "Adam"}
        for n in range(12)
    ]
    splits = {"train": people[:9], "test": people[9:]}
    prepare_tfds(folder, "people", features, splits, keys=("label", "image"))

    features = {
        "features": tfds.features.Tensor(shape=(3,), dtype=np.float32),
        "label": tfds.features.ClassLabel(names=["a", "b"]),
    }
    speech = [
        {"features": np.full(3, n / 10, np.float32), "label": n % 2} for n in range(12)
    ]
    splits = {"train": speech[:9], "test": speech[9:]}
    prepare_tfds(folder, "speech", features, splits, keys=("features", "label"))
    return str(folder)


@pytest.mark.parametrize(("split", "count"), [("train", 7), ("test", 2)])
def test_images_of_one_size_come_in_batches(split, count, prepared, reader):
    source = TfdsFolder("toy")
    labels = source.labels(prepared)[split == "test"]
    (batch,) = source.inputs(split, prepared)
    assert (batch.shape, batch.dtype) == ((count, 2, 5, 3), np.uint8)
    assert sorted(labels) == list(range(count))
    np.testing.assert_array_equal(batch[:, 0, 0, 0], labels)


def test_images_of_different_sizes_come_one_by_one(prepared, reader):
    source = TfdsFolder("people")
    train, test = source.labels(prepared)
    images = list(source.inputs("train", prepared))
    assert (len(images), len(train), len(test)) == (9, 9, 3)
    for picture, label in zip(images, train, strict=True):
        number = picture[0, 0, 0, 0]
        np.testing.assert_array_equal(picture[0], image(number, picture.shape[1:3]))
        assert picture.shape[1] == 2 + number % 3
        # Names are numbered alphabetically: "Adam", "zoe".
        assert label == number % 2


def test_the_splits_can_be_named(prepared, reader):
    source = TfdsFolder("people", train="train+test", test="train")
    assert [len(labels) for labels in source.labels(prepared)] == [12, 9]
    assert len(list(source.inputs("train", prepared))) == 12
    part = TfdsFolder("people", test="train[:2]")
    if reader == "with TFDS":
        assert len(list(part.inputs("test", prepared))) == 2
    else:
        with pytest.raises(UsageError, match="can only be read with TensorFlow Data"):
            list(part.inputs("test", prepared))


def test_the_pool_has_names_and_digests(prepared, reader):
    names, digests = TfdsFolder("people").pool("train+test", prepared)
    assert sorted(names) == ["Adam"] * 6 + ["zoe"] * 6
    assert len(set(digests)) == 12
    again = TfdsFolder("people").pool("train+test", prepared)
    assert again == (names, digests)
    # A class without a name has its number for a name.
    names, _ = TfdsFolder("toy").pool("train", prepared)
    assert sorted(names) == [str(number) for number in range(7)]


def test_inputs_at_positions(prepared, reader):
    source = TfdsFolder("people", train="train+test")
    whole = [picture[0] for picture in source.inputs("train", prepared)]
    positions = np.array([0, 3, 4, 11])
    selected = list(source.inputs_at("train+test", positions, prepared))
    assert len(selected) == 4
    for picture, position in zip(selected, positions, strict=True):
        np.testing.assert_array_equal(picture[0], whole[position])


def test_vectors(prepared, reader):
    source = TfdsFolder("speech")
    labels = source.labels(prepared)[0]
    (batch,) = source.inputs("train", prepared)
    assert (batch.shape, batch.dtype) == ((9, 3), np.float32)
    numbers = np.round(batch[:, 0] * 10).astype(int)
    assert sorted(numbers) == list(range(9))
    np.testing.assert_array_equal(labels, numbers % 2)
    names, digests = source.pool("train", prepared)
    assert names == [("a", "b")[label] for label in labels]
    assert len(set(digests)) == 9


@pytest.mark.parametrize("file", ["features.json", "dataset_info.json"])
def test_a_damaged_folder_is_named(file, prepared, tmp_path, reader):
    shutil.copytree(prepared, tmp_path / "copy")
    path = TfdsFolder("toy").folder(str(tmp_path / "copy")) / file
    path.write_text("{")
    words = rf"^can't read {path} \(.+\): delete its folder"
    with pytest.raises(UsageError, match=words):
        TfdsFolder("toy").labels(str(tmp_path / "copy"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dtype": "float32"}, r"images of the shape \(2, 5, 3\) of float32: exp"),
        ({"shape": {"dimensions": ["2", "5", "4"]}}, r"\(2, 5, 4\) of uint8: expected"),
        ({"shape": {}}, r"images of the shape \(\) of uint8: expected 1 or 3 channels"),
        (
            {"shape": {"dimensions": ["2", "6", "3"]}},
            r"image 0 of .* has the shape \(2, 5, 3\): expected \(2, 6, 3\); delete",
        ),
    ],
)
def test_other_images_are_refused(changes, words, prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "has_tfds", lambda: False)
    shutil.copytree(prepared, tmp_path / "copy")
    path = TfdsFolder("toy").folder(str(tmp_path / "copy")) / "features.json"
    content = json.loads(path.read_text())
    content["featuresDict"]["features"]["image"]["image"] |= changes
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError, match=words):
        list(TfdsFolder("toy").inputs("train", str(tmp_path / "copy")))


def test_a_label_beyond_the_classes(prepared, tmp_path, reader):
    shutil.copytree(prepared, tmp_path / "copy")
    folder = TfdsFolder("speech").folder(str(tmp_path / "copy"))
    (folder / "label.labels.txt").write_text("a\n")
    with pytest.raises(UsageError, match=f"{folder} has the label 1: expected 1 class"):
        TfdsFolder("speech").pool("train", str(tmp_path / "copy"))


def test_reading_needs_no_network(prepared, monkeypatch, reader):
    import socket

    def refuse(*args):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert len(TfdsFolder("toy").labels(prepared)[0]) == 7
    assert len(list(TfdsFolder("people").inputs("test", prepared))) == 3


def test_data_is_loaded_without_tensorflow(write_tfds, tmp_path, run_python):
    """Of each kind: the package's, a folder of images, and one prepared by TFDS."""
    write_tfds(tmp_path / "data", "toy", {"train": [0, 1, 2] * 2, "test": [1, 2]})
    for name in ("cat", "dog"):
        for number in range(3):
            file = tmp_path / "pets" / name / f"{number}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image(number, (4, 5))).save(file)
    run_python(
        "import os, sys\n"
        "os.environ['KERAS_BACKEND'] = 'jax'\n"
        "sys.modules |= dict.fromkeys(['tensorflow', 'tensorflow_datasets'])\n"
        "import keras_asymbp\n"
        "from keras_asymbp.benchmarks import datasets, errors\n"
        "from keras_asymbp.benchmarks.datasets import download, look, prepared\n"
        "data_dir = sys.argv[1]\n"
        "for name, count in (('mnist_5k', 4000), ('pets', 4), ('toy', 6)):\n"
        "    dataset = datasets.get(name, data_dir)\n"
        "    fit = prepared.Fit(dataset, (8, 8, 3), data_dir=data_dir)\n"
        "    arrays = prepared.load(fit)\n"
        "    assert arrays.x_train.shape == (count, 8, 8, 3)\n"
        "    assert look.count(dataset, arrays)[0].examples == count\n"
        "    look.draw(arrays, 'picture.png')\n"
        "try:\n"
        "    download.download(datasets.get('svhn').source, data_dir)\n"
        "except errors.UsageError as error:\n"
        "    assert 'pip install tensorflow' in str(error)\n",
        arguments=[str(tmp_path / "data")],
        cwd=tmp_path,
    )


def test_names_without_a_bundled_builder():
    assert bundled_builder("mnist") is None
    assert bundled_builder("no/such") is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_both_readers_give_the_same_arrays(name, tfds_data_dir, monkeypatch):
    theirs = datasets.get(name).load(tfds_data_dir)
    monkeypatch.setattr(reading, "has_tfds", lambda: False)
    ours = datasets.get(name).load(tfds_data_dir)
    for key, array in vars(theirs).items():
        np.testing.assert_array_equal(getattr(ours, key), array)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["caltech101", "flowers102"])
def test_both_readers_give_the_same_photographs(name, tfds_data_dir, monkeypatch):
    def read():
        inputs = datasets.get(name).source.inputs("test", tfds_data_dir)
        return datasets.get(name).labels(tfds_data_dir), list(islice(inputs, 200))

    their_labels, theirs = read()
    subset._drawn.cache_clear()
    monkeypatch.setattr(reading, "has_tfds", lambda: False)
    our_labels, ours = read()
    for our, their in zip([*our_labels, *ours], [*their_labels, *theirs], strict=True):
        np.testing.assert_array_equal(our, their)


@pytest.mark.slow
def test_cifar10(tfds_data_dir):
    arrays = datasets.get("cifar10").load(tfds_data_dir)
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
