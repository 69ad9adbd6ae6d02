"""Reads the examples of data sets that TFDS has prepared, with it or without it.

Both readers give the same examples in the same order: shard after shard.
"""

import importlib.util
import pathlib
from collections.abc import Iterator
from typing import Any

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.datasets.reading import description, shards
from keras_asymbp.benchmarks.errors import UsageError

# What TFDS needs to read or prepare anything.
_PACKAGES = ("tensorflow", "tensorflow_datasets")
INSTALL = "pip install tensorflow tensorflow-datasets"


def has_tfds() -> bool:
    """Whether TensorFlow Datasets and TensorFlow are installed."""
    return all(importlib.util.find_spec(package) for package in _PACKAGES)


def examples(
    folder: pathlib.Path, splits: str, keys: tuple[str, ...]
) -> Iterator[tuple[Any, ...]]:
    """Yields some features of each example, images and texts as bytes.

    Args:
        folder: The folder of the prepared version.
        splits: The splits, such as "train" or "train+test"; with TFDS, anything in its
            syntax.
        keys: Names of the features.

    Raises:
        UsageError: If the folder is damaged or lacks a split, or if it takes TFDS to
            read it and that isn't installed.
    """
    known = description.splits(folder)
    for part in splits.split("+"):
        name = part.partition("[")[0]
        if name not in known:
            raise UsageError(
                f"{folder} has no split '{name}': it has "
                f"{', '.join(known)}; choose another data set"
            )
    if has_tfds():
        from keras_asymbp.benchmarks.datasets.reading import with_tfds as reader
    else:
        from keras_asymbp.benchmarks.datasets.reading import (  # type: ignore[no-redef]
            without_tfds as reader,
        )
    foreign.check_entries(folder, foreign.PREPARE_AGAIN)
    for name in dict.fromkeys(part.partition("[")[0] for part in splits.split("+")):
        shards.check(folder, name)
    return reader.examples(folder, splits, keys)
