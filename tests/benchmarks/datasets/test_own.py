import json
import os
import pathlib

import numpy as np
import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets import own
from keras_asymbp.benchmarks.errors import UsageError


@pytest.fixture
def npz(tmp_path):
    def npz(name="mine.npz", shape=(4, 4)):
        kind = np.uint8 if len(shape) > 1 else np.float32
        path = tmp_path / name
        np.savez(
            path,
            x_train=np.zeros((6, *shape), kind),
            y_train=np.arange(6) % 3,
            x_test=np.zeros((2, *shape), kind),
            y_test=np.array([2, 0]),
        )
        return path

    return npz


@pytest.mark.parametrize(
    ("shape", "network"),
    [
        ((28, 28), "mnist"),
        ((20, 30, 1), "mnist"),
        ((32, 32, 3), "cifar"),
        ((96, 96, 3), "large"),
        ((96, 20, 1), "large"),
        ((1845,), "timit"),
    ],
)
def test_an_npz_file(shape, network, npz):
    dataset = datasets.get(str(npz(shape=shape)))
    assert (dataset.name, dataset.network) == ("mine", network)
    assert dataset.num_classes == 3
    assert (dataset.paper, dataset.as_in_paper) == (None, False)
    assert dataset.version().startswith("sha256-")
    assert len(dataset.load().x_train) == 6
    assert (dataset.counts, dataset.largest_class) == ((6, 2), 0.5)


@pytest.mark.parametrize("shape", [(7,), (5, 5, 4)])
def test_inputs_that_fit_no_network(shape, npz):
    with pytest.raises(UsageError, match=r"1 or 3 channels, or vectors of size 1845"):
        datasets.get(str(npz(shape=shape)))


def test_a_folder_of_class_folders(tmp_path, monkeypatch):
    for name in ("cat", "dog", "cow"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(2):
            (tmp_path / "pets" / name / f"{number}.png").touch()
    dataset = datasets.get(str(tmp_path / "pets"))
    assert (dataset.name, dataset.network) == ("pets", "large")
    assert (dataset.num_classes, dataset.counts) == (3, (3, 3))
    monkeypatch.chdir(tmp_path / "pets")
    assert datasets.get(".").name == "pets"


@pytest.fixture
def tfds_folder(tmp_path):
    """A folder like one of TFDS, but without examples."""

    def write(label, shape=("28", "28", "1"), name="toy", keys=("image", "label")):
        folder = tmp_path / name / "1.0.0"
        folder.mkdir(parents=True)
        items = [{"featureKey": key} for key in keys]
        splits = [{"name": split, "shardLengths": []} for split in ("train", "test")]
        info = {
            "name": "toy",
            "splits": splits,
            "supervisedKeys": {"tuple": {"items": items}},
        }
        (folder / "dataset_info.json").write_text(json.dumps(info))
        features = {
            "thumbnail": {"image": {"shape": {"dimensions": ["8", "8", "1"]}}},
            "image": {"image": {"shape": {"dimensions": shape}}},
            "kind": {"classLabel": {"numClasses": "2"}},
            "label": label,
        }
        text = json.dumps({"featuresDict": {"features": features}})
        (folder / "features.json").write_text(text)
        return str(tmp_path)

    return write


@pytest.mark.parametrize(
    ("shape", "network"),
    [
        (["28", "28", "1"], "mnist"),
        (["32", "32", "3"], "cifar"),
        (["-1", "-1", "3"], "large"),
    ],
)
def test_a_prepared_data_set_of_tfds(shape, network, tfds_folder):
    """Its inputs and labels are those that it is trained on, not the first ones."""
    data_dir = tfds_folder({"classLabel": {"numClasses": "26"}}, shape)
    dataset = datasets.get("toy", data_dir)
    assert (dataset.name, dataset.num_classes) == ("toy", 26)
    assert dataset.network == network
    assert dataset.version(data_dir).startswith("sha256-")
    with pytest.raises(UsageError, match="unknown data set 'toy'"):
        datasets.get("toy", data_dir + "/elsewhere")


def test_the_numbers_of_examples_of_a_prepared_data_set(tmp_path, write_tfds):
    write_tfds(str(tmp_path), "toy", {"train": [0, 1, 1, 2], "test": [2, 0]})
    assert datasets.get("toy", str(tmp_path)).counts == (4, 2)


def test_a_data_set_with_a_config(tfds_folder):
    label = {"classLabel": {"numClasses": "26"}}
    data_dir = tfds_folder(label, name="toy/letters")
    assert datasets.get("toy/letters", data_dir).num_classes == 26


def test_a_data_set_without_class_labels(tfds_folder):
    with pytest.raises(UsageError, match="no images or vectors with class labels"):
        datasets.get("toy", tfds_folder({"text": {}}))


@pytest.mark.parametrize(
    "name", ["|", "a" * 300, "~nobody", "~nobody/x", "\0", "\udcff"]
)
def test_a_name_that_no_file_can_have(name):
    with pytest.raises(UsageError, match="unknown data set"):
        datasets.get(name)
    with pytest.raises(UsageError, match="unknown data set"):
        datasets.get("x", name)


@pytest.mark.parametrize("number", ["many", None, [2]])
def test_a_nonsensical_number_of_classes(number, tfds_folder):
    data_dir = tfds_folder({"classLabel": {"numClasses": number}})
    with pytest.raises(UsageError, match=r"can't read .*features.json"):
        datasets.get("toy", data_dir)


def test_a_name_is_not_a_pattern(tfds_folder):
    data_dir = tfds_folder({"classLabel": {"numClasses": "26"}})
    for name in ("to*", "t?y", "[t]oy", "..", "nope/../toy"):
        with pytest.raises(UsageError):
            datasets.get(name + "x", data_dir)
        assert own.find("t*y", data_dir) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pipe.npz", r"can't read .*pipe.npz \(it is a named pipe, not a file\): give"),
        (
            "link.npz",
            r"can't read .*link.npz \(it is a link to gone, which is missing\)",
        ),
        ("a.npy", r"can't read .*a.npy \(it is no .npz file\): give an .npz file or"),
        ("a" * 300 + ".npz", "no data set at .*aaa.npz: no such file"),
        ("caf\udce9.npz", r"no data set at .*caf\\udce9.npz: no such file"),
    ],
)
def test_a_path_to_something_else(name, words, tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "link.npz").symlink_to("gone")
    (tmp_path / "a.npy").touch()
    with pytest.raises(UsageError, match=words):
        datasets.get(f"{tmp_path}/{name}")


def test_the_home_of_nobody():
    """It stays unresolved, as in a shell."""
    with pytest.raises(UsageError, match=r"no data set at ~nobody_here/x.npz"):
        datasets.get("~nobody_here/x.npz")
    with pytest.raises(UsageError, match=r"not prepared in ~nobody_here"):
        datasets.get("mnist").version("~nobody_here")


@pytest.mark.parametrize("name", ["{}/none.npz", "{}/none", "none.npz"])
def test_a_path_that_does_not_exist(name, tmp_path):
    with pytest.raises(UsageError, match=r"there is no data set at .*no such file"):
        datasets.get(name.format(tmp_path))


def test_the_name_of_a_data_set_in_the_catalog(npz):
    with pytest.raises(
        UsageError, match=r"would be named 'mnist', the name of another.*rename it"
    ):
        datasets.get(str(npz("mnist.npz")))


def test_two_files_of_one_name(npz, tmp_path):
    (tmp_path / "other").mkdir()
    paths = [str(npz()), str(npz("other/mine.npz"))]
    with pytest.raises(UsageError, match="two data sets have the name 'mine'"):
        datasets.find(paths)
    ((dataset, _),) = datasets.find([paths[0], paths[0]])
    assert dataset.source.path == pathlib.Path(paths[0])
