"""A folder that TFDS has prepared, with features of each kind that is read."""

import io
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image


def encoded(number, kind):
    """An image of its own size and pixels, as the content of a file."""
    size = (3 + number % 4, 5, 3)
    pixels = np.random.default_rng(number).integers(0, 256, size, dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return content.getvalue()


@pytest.fixture(scope="session")
def kinds(prepare_tfds, tmp_path_factory):
    """The folder: three shards a split, in training of more than 16 examples each."""
    tfds = pytest.importorskip("tensorflow_datasets")

    features = {
        "png": tfds.features.Image(),
        "jpeg": tfds.features.Image(encoding_format="jpeg"),
        "label": tfds.features.ClassLabel(names=["cat", "Dog"]),
        "text": tfds.features.Text(),
        "vector": tfds.features.Tensor(shape=(5,), dtype=np.float32),
        "table": tfds.features.Tensor(shape=(2, 3), dtype=np.int32),
        "zipped": tfds.features.Tensor(shape=(2,), dtype=np.float32, encoding="zlib"),
        "many": tfds.features.Sequence(np.int64),
        "open": tfds.features.Tensor(shape=(None,), dtype=np.float32),
    }
    examples = [
        {
            "png": io.BytesIO(encoded(number, "PNG")),
            "jpeg": io.BytesIO(encoded(number, "JPEG")),
            "label": number % 2,
            "text": f"Nr. {number} ü" * (number % 3),
            "vector": np.arange(5, dtype=np.float32) / (number + 1),
            "table": np.full((2, 3), -number, np.int32),
            "zipped": np.zeros(2, np.float32),
            "many": [1],
            "open": np.zeros(number, np.float32),
        }
        for number in range(80)
    ]
    builder = prepare_tfds(
        tmp_path_factory.mktemp("tfds"),
        "kinds",
        features,
        {"train": examples[:70], "test": examples[70:]},
        keys=("jpeg", "label"),
        # TFDS chooses the number of shards by size.
        num_shards=3,
    )
    assert builder.info.splits["train"].num_shards == 3
    return pathlib.Path(builder.data_path)


@pytest.fixture
def copy(kinds, tmp_path):
    """A copy of that folder, to be damaged."""
    return shutil.copytree(kinds, tmp_path / "kinds" / "1.0.0")
