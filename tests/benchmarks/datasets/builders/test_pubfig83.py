import pathlib
from typing import ClassVar

import pytest
import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets.builders.pubfig83 import Pubfig83
from keras_asymbp.benchmarks.errors import UsageError


class Pubfig83Test(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Pubfig83
    EXAMPLE_DIR = pathlib.Path(__file__).parent / "dummy_data" / "pubfig83"
    SPLITS: ClassVar = {"train": 4}


def test_labels(generate, labels, dummy_data):
    root = dummy_data("pubfig83")
    (root / "pubfig83/Emmy_Noether").rename(root / "pubfig83/Emmy Noether")
    assert labels(generate(Pubfig83, root)) == {
        "train": {
            "Ada_Lovelace/1.jpg": "Ada_Lovelace",
            "Ada_Lovelace/2.jpg": "Ada_Lovelace",
            "Emmy Noether/1.jpg": "Emmy Noether",
            "Emmy Noether/10.jpg": "Emmy Noether",
        }
    }


@pytest.mark.parametrize("wrong", ["missing", "cut short"])
def test_errors_reach_the_user_unchanged(wrong, dummy_data, tmp_path):
    """TFDS adds nothing to errors of finding or reading the release."""
    manual_dir = dummy_data("pubfig83")
    expected = "expected a folder or an archive"
    if wrong == "missing":
        (manual_dir / "pubfig83").rename(manual_dir / "other")
    else:
        image = manual_dir / "pubfig83/Emmy_Noether/1.jpg"
        image.write_bytes(b"")
        expected = f"can't read {image} (cannot identify image file): get it again"
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    with pytest.raises(UsageError) as error:
        Pubfig83(data_dir=tmp_path).download_and_prepare(download_config=config)
    assert str(error.value).startswith(expected)
    assert "\n" not in str(error.value)
