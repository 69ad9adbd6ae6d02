"""Fixtures shared by the tests of the builders."""

import io
import pathlib
import shutil
import types

import numpy as np
import pytest
from etils import epath


@pytest.fixture
def dummy_data(tmp_path):
    """Copies the dummy data of a builder, for a test to change."""

    def copy(name):
        source = pathlib.Path(__file__).parent / "dummy_data" / name
        return pathlib.Path(shutil.copytree(source, tmp_path / "copy"))

    return copy


@pytest.fixture
def download_manager(tmp_path):
    """A download manager of TFDS for releases downloaded by hand."""
    import tensorflow_datasets as tfds

    def manager(manual_dir):
        return tfds.download.DownloadManager(
            download_dir=tmp_path / "downloads",
            manual_dir=manual_dir,
            manual_dir_instructions="some",
        )

    return manager


@pytest.fixture
def generate(tmp_path, download_manager):
    """Runs a builder and returns its examples: split -> {file: example}.

    Args:
        builder_class: The builder.
        manual_dir: The folder of releases downloaded by hand.
        downloads: The result of a download, if the builder downloads.
    """

    def generate(builder_class, manual_dir=None, downloads=None):
        manager = download_manager(manual_dir)
        if downloads is not None:
            manager = types.SimpleNamespace(
                manual_dir=tmp_path / "none",
                download_and_extract=lambda urls: {key: downloads[key] for key in urls},
            )
        splits = builder_class(data_dir=tmp_path)._split_generators(manager)
        return {split: dict(examples) for split, examples in splits.items()}

    return generate


@pytest.fixture
def labels():
    """The labels in the result of `generate`."""

    def labels(splits):
        return {
            split: {key: example["label"] for key, example in examples.items()}
            for split, examples in splits.items()
        }

    return labels


@pytest.fixture
def path():
    """The class of paths in TFDS."""
    return epath.Path


@pytest.fixture
def image():
    """The bytes of an image of noise."""
    from PIL import Image

    def image(format="PNG", mode="RGB", size=(16, 12), **options):
        noise = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(noise).convert(mode).save(file, format=format, **options)
        return file.getvalue()

    return image
