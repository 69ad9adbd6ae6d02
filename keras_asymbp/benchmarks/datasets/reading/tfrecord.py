"""TFRecord files: records one after another, each with its length and two checksums."""

import os
import pathlib
from collections.abc import Iterator

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.datasets.reading.shards import (
    FOOTER,
    HEADER,
    damaged,
)


def _table():
    """CRC-32C of each byte (the Castagnoli polynomial, bits reversed)."""
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        yield value


_TABLE = tuple(_table())


def records(path: pathlib.Path, count: int) -> Iterator[bytes]:
    """Yields the data of each record.

    The checksum of each length is verified, that of the data is not: in Python it would
    take longer than all the rest. Images have checksums or an end of their own.

    Args:
        path: The file.
        count: The number of records that it should have.

    Raises:
        UsageError: If the file is missing, cut or damaged, or has another number of
            records.
    """
    found = 0
    with foreign.opened(path, foreign.PREPARE_AGAIN) as file:
        size = os.fstat(file.fileno()).st_size
        while header := file.read(HEADER.size):
            if len(header) < HEADER.size:
                raise damaged(path, f"it ends within record {found + 1}")
            length, checksum = HEADER.unpack(header)
            if masked_crc(header[:8]) != checksum:
                raise damaged(path, f"record {found + 1} has a wrong checksum")
            record = file.read(min(length + FOOTER, size))
            if len(record) < length + FOOTER:
                raise damaged(path, f"it ends within record {found + 1}")
            yield record[:length]
            found += 1
    if found != count:
        raise damaged(path, f"it has {found} of {count} records")


def masked_crc(content: bytes) -> int:
    """CRC-32C, rotated and shifted as TensorFlow stores it."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = crc >> 8 ^ _TABLE[crc & 0xFF ^ byte]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
