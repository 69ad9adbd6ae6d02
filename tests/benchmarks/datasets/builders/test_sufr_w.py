import pathlib
import shutil
from typing import ClassVar

import pytest
import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets.builders.sufr_w import SufrW
from keras_asymbp.benchmarks.errors import UsageError

IMAGES = "image_files/SUFR-W/SUFR_in_the_wild"
LIST = "sufr_w/info_files/SUFR-W/SUFR_in_the_wild/SUFR_in_the_wild_info.txt"


class SufrWTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = SufrW
    EXAMPLE_DIR = pathlib.Path(__file__).parent / "dummy_data" / "sufr_w"
    SPLITS: ClassVar = {"train": 4}


def test_labels_of_the_list(generate, labels, dummy_data):
    """Line numbers count, not the numbers in the list; synthetic sets are left out."""
    assert labels(generate(SufrW, dummy_data("sufr_w"))) == {
        "train": {
            f"{IMAGES}/1.jpg": "Ada Lovelace",
            f"{IMAGES}/2.jpg": "Mary-Ann O'Neil Jr.",
            f"{IMAGES}/3.jpg": "Ada Lovelace",
            f"{IMAGES}/4.jpg": "Emmy Noether",
        }
    }


def test_labels_of_folders(generate, labels, dummy_data):
    root = dummy_data("sufr_w")
    for name in ("Ada Lovelace", "Emmy Noether"):
        (root / "folders" / name).mkdir(parents=True)
        shutil.copy(root / "sufr_w" / IMAGES / "1.jpg", root / "folders" / name)
    shutil.rmtree(root / "sufr_w")
    (root / "folders").rename(root / "sufr_w")
    assert labels(generate(SufrW, root)) == {
        "train": {
            "Ada Lovelace/1.jpg": "Ada Lovelace",
            "Emmy Noether/1.jpg": "Emmy Noether",
        }
    }


def test_a_missing_image_of_the_list(generate, dummy_data):
    root = dummy_data("sufr_w")
    (root / "sufr_w" / IMAGES / "3.jpg").unlink()
    with pytest.raises(UsageError, match=r"the image 3.jpg .* which has 3 numbered"):
        generate(SufrW, root)


def test_an_unreadable_line_of_the_list(generate, dummy_data):
    root = dummy_data("sufr_w")
    (root / LIST).write_text("1 # Ada Lovelace\nEmmy Noether\n")
    with pytest.raises(UsageError, match=r"line 2 of .*info.txt, found 'Emmy Noether'"):
        generate(SufrW, root)


def test_a_missing_release(generate, tmp_path):
    (tmp_path / "manual").mkdir()
    (tmp_path / "manual" / "SUFR.zip").touch()
    with pytest.raises(UsageError, match=r"named sufr_w, .*; found SUFR.zip"):
        generate(SufrW, tmp_path / "manual")
