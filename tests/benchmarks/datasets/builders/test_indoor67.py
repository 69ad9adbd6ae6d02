import pathlib
from typing import ClassVar

import pytest
import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets.builders.indoor67 import Indoor67
from keras_asymbp.benchmarks.errors import UsageError


class Indoor67Test(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Indoor67
    EXAMPLE_DIR = pathlib.Path(__file__).parent / "dummy_data" / "indoor67"
    DL_EXTRACT_RESULT: ClassVar = {
        "images": "",
        "train": "TrainImages.txt",
        "test": "TestImages.txt",
    }
    SPLITS: ClassVar = {"train": 3, "test": 2}
    SKIP_CHECKSUMS = True


@pytest.fixture
def downloads(dummy_data, path):
    folder = path(dummy_data("indoor67"))
    return {
        "images": folder,
        "train": folder / "TrainImages.txt",
        "test": folder / "TestImages.txt",
    }


def test_labels(generate, labels, downloads, tmp_path):
    """Only images in the lists are used."""
    found = labels(generate(Indoor67, downloads=downloads))
    assert found == {
        "train": {
            "gym/a.jpg": "gym",
            "bar/b.jpg": "bar",
            "winecellar/c_gif.jpg": "winecellar",
        },
        "test": {"gym/d.jpg": "gym", "airport_inside/e.jpg": "airport_inside"},
    }
    label = Indoor67(data_dir=tmp_path).info.features["label"]
    assert label.num_classes == 67
    assert label.str2int("airport_inside") == 0
    assert label.str2int("winecellar") == 66
    assert label.names == sorted(set(label.names))


def test_a_gif_is_converted_for_tfds(generate, downloads):
    train = generate(Indoor67, downloads=downloads)["train"]
    original = downloads["images"] / "Images" / "gym" / "a.jpg"
    assert train["gym/a.jpg"]["image"] == original.read_bytes()
    assert train["winecellar/c_gif.jpg"]["image"].mode == "RGB"


@pytest.mark.parametrize(
    "line", ["<html>", "a.jpg", "cellar/a.jpg", "gym/../../a.jpg", ""]
)
def test_an_unreadable_list(line, generate, downloads):
    downloads["test"].write_text(line)
    with pytest.raises(UsageError, match=r"TestImages.txt is not a list") as error:
        generate(Indoor67, downloads=downloads)
    assert f"found '{line}'" in str(error.value)


def test_a_missing_image_is_named(generate, downloads):
    (downloads["images"] / "Images" / "bar" / "b.jpg").unlink()
    with pytest.raises(UsageError, match=r"Images/bar/b.jpg \(No such file"):
        generate(Indoor67, downloads=downloads)
