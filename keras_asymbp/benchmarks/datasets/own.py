"""The user's own data: a file, a folder, or a data set prepared by TFDS."""

import dataclasses
import os
import pathlib

import numpy as np

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.datasets.checking import class_numbers
from keras_asymbp.benchmarks.datasets.dataset import SPLITS, Dataset
from keras_asymbp.benchmarks.datasets.image_folder import ImageFolder
from keras_asymbp.benchmarks.datasets.npz import Npz
from keras_asymbp.benchmarks.datasets.reading import description, shards
from keras_asymbp.benchmarks.datasets.tfds_folder import TfdsFolder, descriptions
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.networks import TABLE_1

_GIVE = "give an .npz file or a folder of class folders"
# Pixels a side, up to which images go to the networks for small images.
_SMALL = 48


def find(name: str, data_dir: str | None = None) -> Dataset | None:
    """Finds the data set at a path or under the name of a prepared one.

    A file or folder is named after the last part of its path. The network is that of
    Table 1 for similar inputs.

    Args:
        name: The path of an `.npz` file or of a folder of class folders, or a name in
            `data_dir`.
        data_dir: Folder of data sets prepared by TFDS.

    Returns:
        The data set, or None if there is none.

    Raises:
        UsageError: If a path leads nowhere, or the data can't be used.
    """
    # Unlike the methods of a path, these functions take any text.
    path = pathlib.Path(os.path.expanduser(name))
    if os.path.isdir(path):
        return dataclasses.replace(_image_folder(path), path=name)
    if path.suffix == ".npz" or ("/" in name and os.path.isdir(path.parent)):
        if not os.path.lexists(path):
            raise UsageError(f"there is no data set at {path}: no such file or folder")
        foreign.check_regular(path, _GIVE)
        if path.suffix != ".npz":
            raise foreign.unreadable(path, "it is no .npz file", _GIVE)
        return dataclasses.replace(_npz(path), path=name)
    plain = _plain(name)
    if plain and descriptions(plain, data_dir):
        return _tfds(name, data_dir)
    return None


def _plain(name):
    """A name without patterns for `glob`, and without `..`."""
    return "".join(c for c in name if c.isalnum() or c in "_/-").strip("/")


def _npz(path):
    source = Npz(path)
    name = foreign.text_of(path.stem)
    train, test = _labels(name, source)
    shape = next(source.inputs("train", None)).shape[1:]
    return Dataset(
        name=name,
        description=f"{len(train):,} + {len(test):,} examples of {name}.npz",
        paper=None,
        num_classes=len(np.unique(train)),
        network=network_for(shape, path),
        source=source,
        as_in_paper=False,
        counts=(len(train), len(test)),
        largest_class=_largest(test),
    )


def _image_folder(path):
    source = ImageFolder(path)
    classes = source.classes()
    name = foreign.text_of(path.resolve().name)
    train, test = _labels(name, source)
    return Dataset(
        name=name,
        description=f"images of {len(classes)} classes in the folder {name}",
        paper=None,
        num_classes=len(classes),
        network="large",
        source=source,
        as_in_paper=False,
        counts=(len(train), len(test)),
        largest_class=_largest(test),
    )


def _labels(name, source):
    return [
        class_numbers(name, split, labels)
        for split, labels in zip(SPLITS, source.labels(None), strict=True)
    ]


def _largest(labels):
    return float(np.bincount(labels).max() / len(labels))


def _tfds(name, data_dir):
    source = TfdsFolder(_plain(name))
    folder = source.folder(data_dir)
    features = description.features(folder)
    inputs, labels = description.supervised_keys(folder)
    with description.understood(folder / "features.json"):
        shape = description.shape(features[inputs])
        if description.kind(features[labels]) != "classLabel":
            raise UsageError(
                f"{folder} has no images or vectors with class labels: "
                "only those can be used"
            )
        num_classes = description.num_classes(features[labels])
    return Dataset(
        name=_plain(name),
        description=f"the data set {name} of TensorFlow Datasets",
        paper=None,
        num_classes=num_classes,
        network=network_for(shape, folder),
        source=source,
        as_in_paper=False,
        counts=_described(folder, source),
    )


def _described(folder, source):
    """Numbers of examples by a description; None if it lacks one of both splits."""
    splits = source.train, source.test
    if not description.splits(folder).keys() >= set(splits):
        return None
    train, test = (
        sum(count for _, count in shards.of_split(folder, split)) for split in splits
    )
    return train, test


def network_for(shape: tuple[int, ...], path: pathlib.Path) -> str:
    """The network of Table 1 for inputs of a shape.

    Args:
        shape: Shape of one input; -1 where a size is unknown.
        path: The data set, for the message.

    Raises:
        UsageError: If no network takes such inputs.
    """
    if len(shape) == 3 and shape[2] in (1, 3):
        if not 0 < max(shape[:2]) <= _SMALL:
            return "large"
        return "mnist" if shape[2] == 1 else "cifar"
    for name, network in TABLE_1.items():
        if network.input_shape == shape:
            return name
    sizes = [n.input_shape[0] for n in TABLE_1.values() if len(n.input_shape) < 2]
    raise UsageError(
        f"inputs of {path} have the shape {shape}: expected images of 1 or 3 channels, "
        f"or vectors of size {', '.join(map(str, sizes))}"
    )
