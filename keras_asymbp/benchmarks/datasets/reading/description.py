"""What TFDS writes about a prepared data set in its folder."""

import contextlib
import os
import pathlib

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.errors import UsageError

# The kinds of features that are read; each describes itself under this name.
KINDS = ("image", "tensor", "classLabel", "text")


def info(folder: pathlib.Path) -> dict:
    """The content of `dataset_info.json`.

    Raises:
        UsageError: If it can't be read.
    """
    path = folder / "dataset_info.json"
    with understood(path):
        return dict(foreign.read_json(path, foreign.PREPARE_AGAIN))


def splits(folder: pathlib.Path) -> dict[str, dict]:
    """The description of each split by name, from `dataset_info.json`.

    Raises:
        UsageError: If it can't be read.
    """
    with understood(folder / "dataset_info.json"):
        return {str(split["name"]): dict(split) for split in info(folder)["splits"]}


def features(folder: pathlib.Path) -> dict[str, dict]:
    """The description of each feature by name, from `features.json`.

    Raises:
        UsageError: If it can't be read.
    """
    path = folder / "features.json"
    with understood(path):
        content = foreign.read_json(path, foreign.PREPARE_AGAIN)
        described = dict(content["featuresDict"]["features"])
        for feature in described.values():
            _check(path, feature)
        return described


def _check(path, feature):
    """Raises an error unless the fields that are read have their types."""
    sizes = shape(feature) if "image" in feature or "tensor" in feature else ()
    if any(size < -1 or size == 0 for size in sizes):
        raise foreign.unreadable(path, f"a shape is {sizes}", foreign.PREPARE_AGAIN)
    if "classLabel" in feature:
        num_classes(feature)


def kind(feature: dict) -> str | None:
    """The kind of a feature, one of `KINDS`, or None."""
    return next((kind for kind in KINDS if kind in feature), None)


def shape(feature: dict) -> tuple[int, ...]:
    """The shape of an image or a tensor; -1 where a size is unknown."""
    described = feature["image" if "image" in feature else "tensor"]
    return tuple(map(int, described.get("shape", {}).get("dimensions", ())))


def num_classes(feature: dict) -> int:
    """The number of classes of a label."""
    return int(feature["classLabel"]["numClasses"])


def supervised_keys(folder: pathlib.Path) -> tuple[str, str]:
    """The names of the inputs and of the labels.

    Raises:
        UsageError: If the data set has none, or can't be used.
    """
    described = features(folder)
    with understood(folder / "dataset_info.json"):
        supervised = info(folder).get("supervisedKeys", {})
        items = supervised.get("tuple", {}).get("items", [])
        kinds = {
            item["featureKey"]: kind(described[item["featureKey"]]) for item in items
        }
    # LFW names its labels first.
    inputs = [key for key in kinds if kinds[key] in ("image", "tensor")]
    labels = [key for key in kinds if kinds[key] in ("classLabel", "text")]
    if (len(inputs), len(labels)) != (1, 1):
        raise UsageError(
            f"{folder} has no supervised keys: inputs (images or vectors) and labels "
            "(classes or texts); choose another data set"
        )
    return inputs[0], labels[0]


def class_names(folder: pathlib.Path, key: str) -> list[str]:
    """The names of a feature's classes; their numbers if they have no names."""
    path = folder / f"{key}.labels.txt"
    if os.path.lexists(path):
        lines = foreign.read_text(path, foreign.PREPARE_AGAIN).split("\n")
        return [line.strip() for line in lines if line.strip()]
    return [str(number) for number in range(num_classes(features(folder)[key]))]


def understood(path: pathlib.Path) -> contextlib.AbstractContextManager[None]:
    """Turns what goes wrong with the content of a description into a UsageError."""
    return foreign.guarded(path, foreign.PREPARE_AGAIN)
