"""The files of a prepared data set: a shard has the records that are described."""

import os
import pathlib
import struct

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.datasets.foreign import PREPARE_AGAIN
from keras_asymbp.benchmarks.datasets.reading import description
from keras_asymbp.benchmarks.errors import UsageError

_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
TFRECORD = "tfrecord"
# A record: length of the data, checksum of the length; the data; its checksum.
HEADER = struct.Struct("<QI")
FOOTER = 4


def file_format(folder: pathlib.Path) -> str:
    """The format of the files, such as "tfrecord"."""
    return str(description.info(folder).get("fileFormat", TFRECORD))


def of_split(folder: pathlib.Path, split: str) -> list[tuple[pathlib.Path, int]]:
    """The files of a split, each with its number of records.

    Raises:
        UsageError: If `dataset_info.json` doesn't describe them.
    """
    info, known = description.info(folder), description.splits(folder)
    path = folder / "dataset_info.json"
    with description.understood(path):
        template = known[split].get("filepathTemplate") or _TEMPLATE
        counts = [int(count) for count in known[split].get("shardLengths", [])]
        if min(counts, default=0) < 0:
            raise foreign.unreadable(path, f"{min(counts)} records", PREPARE_AGAIN)
        names = [
            _file(template, info["name"], split, file_format(folder), shard, counts)
            for shard in range(len(counts))
        ]
        for name in names:
            if os.path.basename(name) != name:
                raise foreign.unreadable(
                    path, f"{name} is in another folder", PREPARE_AGAIN
                )
    # TFDS writes no file without examples.
    pairs = zip(names, counts, strict=True)
    return [(folder / name, count) for name, count in pairs if count]


def _file(template, dataset, split, suffix, shard, counts):
    """The name of a shard's file."""
    index, number = f"{shard:05d}", f"{len(counts):05d}"
    parts = {
        "DATASET": dataset,
        "SPLIT": split,
        "FILEFORMAT": suffix,
        "SHARD_INDEX": index,
        "NUM_SHARDS": number,
        "SHARD_X_OF_Y": f"{index}-of-{number}",
    }
    for part, value in parts.items():
        template = template.replace(f"{{{part}}}", value)
    return template


def check(folder: pathlib.Path, split: str) -> None:
    """Compares the files of a split with their description.

    Records are followed from length to length; their data isn't read.

    Raises:
        UsageError: If a file is missing, cut or damaged, or if the split has another
            number of records or bytes than described.
    """
    is_tfrecord = file_format(folder) == TFRECORD
    total = 0
    for path, count in of_split(folder, split):
        with foreign.opened(path, PREPARE_AGAIN) as file:
            if is_tfrecord:
                total += _follow(path, file, count)
    with description.understood(folder / "dataset_info.json"):
        described = int(description.splits(folder)[split].get("numBytes", 0))
    if is_tfrecord and described not in (0, total):
        raise UsageError(
            f"split '{split}' of {folder} has {total} bytes of records, "
            f"not the {described} in dataset_info.json: {PREPARE_AGAIN}"
        )


def _follow(path, file, count):
    """Compares the number of records; returns their bytes."""
    size = os.fstat(file.fileno()).st_size
    at = total = found = 0
    while at < size:
        header = file.read(HEADER.size)
        if len(header) == HEADER.size:
            length, _ = HEADER.unpack(header)
            at += HEADER.size + length + FOOTER
            total += length
        if len(header) < HEADER.size or at > size:
            raise damaged(path, f"it ends within record {found + 1} of {count}")
        file.seek(at)
        found += 1
        if found > count:
            raise damaged(path, f"it has more than {count} records")
    if found < count:
        raise damaged(path, f"it has {found} of {count} records")
    return total


def damaged(path: pathlib.Path, reason: str) -> UsageError:
    """The error for a damaged shard."""
    return UsageError(f"{path} is damaged ({reason}): {PREPARE_AGAIN}")
