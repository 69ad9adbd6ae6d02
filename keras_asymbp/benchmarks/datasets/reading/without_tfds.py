"""Reads prepared data sets on a machine without TensorFlow."""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.datasets.reading import (
    INSTALL,
    description,
    shards,
    tf_example,
    tfrecord,
)
from keras_asymbp.benchmarks.errors import UsageError


class NeedsTfdsError(UsageError):
    """A prepared data set that only TFDS can read."""


def examples(
    folder: pathlib.Path, splits: str, keys: tuple[str, ...]
) -> Iterator[tuple[Any, ...]]:
    """Yields some features of each example, as `reading.examples`.

    Raises:
        UsageError: If the folder is damaged, or needs TFDS.
    """
    described = description.features(folder)
    for key in keys:
        _check(folder, key, described[key])
    for path, count in _shards(folder, splits):
        for number, record in enumerate(tfrecord.records(path, count), 1):
            try:
                values = tf_example.parse(record, keys)
                example = tuple(_value(values[key], described[key]) for key in keys)
            except Exception as error:  # hostile bytes raise errors of any type
                raise UsageError(
                    f"record {number} of {path} is no example of the data set: "
                    f"{foreign.PREPARE_AGAIN}"
                ) from error
            yield example


def _check(folder, key, feature):
    """Refuses what `_value` can't convert."""
    kind = description.kind(feature)
    encoding = feature.get("tensor", {}).get("encoding", "none")
    if kind is None or encoding != "none":
        raise _needs_tfds(folder, f"the feature '{key}'")
    if kind == "tensor" and -1 in description.shape(feature):
        raise _needs_tfds(folder, f"'{key}', a tensor of unknown size")


def _value(values, feature):
    """The value that TFDS would give."""
    if "tensor" in feature:
        values = np.asarray(values, np.dtype(feature["tensor"]["dtype"]))
        return values.reshape(description.shape(feature))
    (value,) = values
    expected = np.int64 if "classLabel" in feature else bytes
    if not isinstance(value, expected):
        raise TypeError
    return value


def _shards(folder: pathlib.Path, splits: str) -> list[tuple[pathlib.Path, int]]:
    """The files of the splits, each with its number of records."""
    suffix = shards.file_format(folder)
    if suffix != shards.TFRECORD:
        raise _needs_tfds(folder, f"files of the format '{suffix}'")
    known = description.splits(folder)
    found = []
    for name in splits.split("+"):
        if name not in known:
            raise _needs_tfds(folder, f"the part '{name}' of a split")
        found += shards.of_split(folder, name)
    return found


def _needs_tfds(folder, what):
    return NeedsTfdsError(
        f"{what} of {folder} can only be read with TensorFlow Datasets: {INSTALL}"
    )
