import pathlib
import shutil
from typing import ClassVar

import pytest
import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets.builders.icubworld import Icubworld
from keras_asymbp.benchmarks.errors import UsageError

TRAIN = {
    "bottle/bottle1/1.png": "bottle",
    "bottle/bottle2/1.png": "bottle",
    "lemon/lemon1/1.png": "lemon",
}
TEST = {"bottle/1.png": "bottle", "lemon/1.png": "lemon"}


class IcubworldTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Icubworld
    EXAMPLE_DIR = pathlib.Path(__file__).parent / "dummy_data" / "icubworld"
    SPLITS: ClassVar = {"train": 3, "test": 2}


@pytest.mark.parametrize("layout", ["four test sets", "one test set", "capitals"])
def test_labels(layout, generate, labels, dummy_data):
    """The test set is the one with new objects of the categories."""
    root = dummy_data("icubworld")
    release = root / "icubworld"
    match layout:
        case "one test set":
            shutil.rmtree(release / "test/robot")
            for category in (release / "test/categorization").iterdir():
                category.rename(release / "test" / category.name)
            (release / "test/categorization").rmdir()
        case "capitals":
            (release / "test/categorization").rename(release / "test/Categorization")
            (release / "test").rename(release / "Test")
            (release / "train").rename(release / "Train")
    assert labels(generate(Icubworld, root)) == {"train": TRAIN, "test": TEST}


def test_hello_icubworld_is_refused(generate, dummy_data):
    """The release of seven objects with the same name."""
    root = dummy_data("icubworld")
    for mode in ("human", "robot"):
        shutil.copytree(root / "icubworld", root / "iCubWorld1.0" / mode)
    shutil.rmtree(root / "icubworld")
    with pytest.raises(UsageError, match=r"found human, robot .* of 7 objects"):
        generate(Icubworld, root)


def test_categories_differ(generate, dummy_data):
    root = dummy_data("icubworld")
    release = root / "icubworld"
    (release / "train/bottle").rename(release / "train/box")
    with pytest.raises(UsageError, match="found box, lemon and bottle, lemon"):
        generate(Icubworld, root)


@pytest.mark.parametrize("name", ["iCubWorld", "icubworld"])
def test_the_archive_as_it_is_published(name, generate, labels, dummy_data, tmp_path):
    """`iCubWorld.zip` is iCubWorld 1.0, whatever lies beside it."""
    root = dummy_data("icubworld")
    hello = tmp_path / "hello"
    (hello / "human").mkdir(parents=True)
    (hello / "robot").mkdir()
    shutil.make_archive(str(root / "iCubWorld1.0"), "zip", hello)
    shutil.make_archive(str(root / name), "zip", root / "icubworld")
    shutil.rmtree(root / "icubworld")
    assert labels(generate(Icubworld, root)) == {"train": TRAIN, "test": TEST}


def test_no_release(generate, tmp_path):
    """Only the names of the right archive are asked for."""
    (tmp_path / "manual").mkdir()
    (tmp_path / "manual" / "x").touch()
    with pytest.raises(UsageError, match=r"named iCubWorld or icubworld, from"):
        generate(Icubworld, tmp_path / "manual")
