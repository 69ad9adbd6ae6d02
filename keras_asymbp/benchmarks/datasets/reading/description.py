"""What TFDS writes about a prepared data set in its folder."""

import contextlib
import json
import pathlib
from collections.abc import Iterator

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
        return dict(json.loads(path.read_text(encoding="utf-8")))


def splits(folder: pathlib.Path) -> dict[str, dict]:
    """The description of each split by name, from `dataset_info.json`.

    Raises:
        UsageError: If it can't be read.
    """
    with understood(folder / "dataset_info.json"):
        return {split["name"]: split for split in info(folder)["splits"]}


def features(folder: pathlib.Path) -> dict[str, dict]:
    """The description of each feature by name, from `features.json`.

    Raises:
        UsageError: If it can't be read.
    """
    path = folder / "features.json"
    with understood(path):
        content = json.loads(path.read_text(encoding="utf-8"))
        return dict(content["featuresDict"]["features"])


def kind(feature: dict) -> str | None:
    """The kind of a feature, one of `KINDS`, or None."""
    return next((kind for kind in KINDS if kind in feature), None)


def shape(feature: dict) -> tuple[int, ...]:
    """The shape of an image or a tensor; -1 where a size is unknown."""
    described = feature.get("image") or feature["tensor"]
    return tuple(map(int, described.get("shape", {}).get("dimensions", ())))


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
    if path.exists():
        with understood(path):
            lines = path.read_text(encoding="utf-8").split("\n")
            return [line.strip() for line in lines if line.strip()]
    count = int(features(folder)[key]["classLabel"]["numClasses"])
    return [str(number) for number in range(count)]


@contextlib.contextmanager
def understood(path: pathlib.Path) -> Iterator[None]:
    """Turns what goes wrong with the content of a file into a UsageError."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} doesn't describe a data set: prepare it again"
        ) from error
