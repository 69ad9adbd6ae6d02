import pathlib
from typing import ClassVar

import pytest
import scipy.io
import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets.builders.flowers17 import Flowers17
from keras_asymbp.benchmarks.errors import UsageError


class Flowers17Test(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Flowers17
    EXAMPLE_DIR = pathlib.Path(__file__).parent / "dummy_data" / "flowers17"
    DL_EXTRACT_RESULT: ClassVar = {"images": "", "splits": "datasplits.mat"}
    SPLITS: ClassVar = {"train": 3, "validation": 1, "test": 2}
    SKIP_CHECKSUMS = True


@pytest.fixture
def downloads(dummy_data, path):
    folder = path(dummy_data("flowers17"))
    return {"images": folder, "splits": folder / "datasplits.mat"}


def test_labels(generate, labels, downloads):
    """The first of the three splits; 80 images per class, numbered from 1."""
    assert labels(generate(Flowers17, downloads=downloads)) == {
        "train": {"image_0001.jpg": 0, "image_0081.jpg": 1, "image_1360.jpg": 16},
        "validation": {"image_0002.jpg": 0},
        "test": {"image_0080.jpg": 0, "image_0082.jpg": 1},
    }


def test_classes(tmp_path):
    assert Flowers17(data_dir=tmp_path).info.features["label"].num_classes == 17


def test_a_missing_image_is_named(generate, downloads):
    (downloads["images"] / "jpg" / "image_0081.jpg").unlink()
    with pytest.raises(UsageError, match=r"jpg/image_0081.jpg \(No such file"):
        generate(Flowers17, downloads=downloads)


@pytest.mark.parametrize("content", ["a page", "nothing", "other variables"])
def test_an_unreadable_file_of_splits(content, generate, downloads):
    match content:
        case "a page":
            downloads["splits"].write_text("<html>moved</html>" * 100)
        case "nothing":
            downloads["splits"].write_text("")
        case "other variables":
            scipy.io.savemat(downloads["splits"], {"trnid": [1]})
    with pytest.raises(
        UsageError, match=r"can't read .*splits.mat \(.*\): delete it"
    ) as error:
        generate(Flowers17, downloads=downloads)
    assert "\n" not in str(error.value)
