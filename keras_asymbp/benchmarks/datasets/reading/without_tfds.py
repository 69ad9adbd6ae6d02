"""Reads prepared data sets on a machine without TensorFlow."""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_asymbp.benchmarks.datasets.reading import (
    INSTALL,
    description,
    tf_example,
    tfrecord,
)
from keras_asymbp.benchmarks.errors import UsageError

_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"


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
            except (ValueError, KeyError, IndexError, TypeError) as error:
                raise UsageError(
                    f"record {number} of {path} is no example of the data set: prepare "
                    "it again"
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
    info, known = description.info(folder), description.splits(folder)
    suffix = info.get("fileFormat", "tfrecord")
    if suffix != "tfrecord":
        raise _needs_tfds(folder, f"files of the format '{suffix}'")
    found = []
    for name in splits.split("+"):
        if name not in known:
            raise _needs_tfds(folder, f"the part '{name}' of a split")
        with description.understood(folder / "dataset_info.json"):
            template = known[name].get("filepathTemplate") or _TEMPLATE
            counts = list(map(int, known[name].get("shardLengths", [])))
            found += [
                (folder / _file(template, info["name"], name, shard, counts), count)
                for shard, count in enumerate(counts)
                if count  # TFDS writes no file without examples
            ]
    return found


def _file(template, dataset, split, shard, counts):
    """The name of a shard's file."""
    index, number = f"{shard:05d}", f"{len(counts):05d}"
    parts = {
        "DATASET": dataset,
        "SPLIT": split,
        "FILEFORMAT": "tfrecord",
        "SHARD_INDEX": index,
        "NUM_SHARDS": number,
        "SHARD_X_OF_Y": f"{index}-of-{number}",
    }
    for part, value in parts.items():
        template = template.replace(f"{{{part}}}", value)
    return template


def _needs_tfds(folder, what):
    return NeedsTfdsError(
        f"{what} of {folder} can only be read with TensorFlow Datasets: {INSTALL}"
    )
