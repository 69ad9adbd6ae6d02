import pathlib
from typing import ClassVar

import pytest
import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets.builders.caltech256 import Caltech256
from keras_asymbp.benchmarks.errors import UsageError


class Caltech256Test(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Caltech256
    EXAMPLE_DIR = pathlib.Path(__file__).parent / "dummy_data" / "caltech256"
    SPLITS: ClassVar = {"train": 5}
    SKIP_CHECKSUMS = True


def test_labels(generate, labels, dummy_data, path):
    """Clutter is a class; RENAME2 and the folder greg are left out."""
    found = labels(
        generate(Caltech256, downloads={"images": path(dummy_data("caltech256"))})
    )
    assert found == {
        "train": {
            "001.ak47/001_0001.jpg": 0,
            "001.ak47/001_0002.jpg": 0,
            "056.dog/056_0001.jpg": 55,
            "198.spider/198_0001.jpg": 197,
            "257.clutter/257_0001.jpg": 256,
        }
    }


def test_classes(tmp_path):
    assert Caltech256(data_dir=tmp_path).info.features["label"].num_classes == 257


def test_another_archive(generate, path, tmp_path):
    (tmp_path / "101_ObjectCategories").mkdir()
    with pytest.raises(UsageError, match=r"one per class, in .*found 101_ObjectCateg"):
        generate(Caltech256, downloads={"images": path(tmp_path)})


@pytest.mark.parametrize("name", ["ak47", "000.ak47", "258.clutter"])
def test_another_folder(name, generate, dummy_data, path):
    root = dummy_data("caltech256")
    classes = root / "256_ObjectCategories"
    (classes / "001.ak47").rename(classes / name)
    with pytest.raises(UsageError, match=f"such as 001.ak47, found {name}"):
        generate(Caltech256, downloads={"images": path(root)})
