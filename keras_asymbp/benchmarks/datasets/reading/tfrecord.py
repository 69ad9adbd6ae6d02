"""TFRecord files: records one after another, each with its length and two checksums."""

import pathlib
import struct
from collections.abc import Iterator

from keras_asymbp.benchmarks.errors import UsageError

# Length of the data, checksum of the length; the data; checksum of the data.
_HEADER = struct.Struct("<QI")
_FOOTER = 4


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
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            while header := file.read(_HEADER.size):
                if len(header) < _HEADER.size:
                    raise _damaged(path, f"it ends within record {found + 1}")
                length, checksum = _HEADER.unpack(header)
                if masked_crc(header[:8]) != checksum:
                    raise _damaged(path, f"record {found + 1} has a wrong checksum")
                record = file.read(min(length + _FOOTER, size))
                if len(record) < length + _FOOTER:
                    raise _damaged(path, f"it ends within record {found + 1}")
                yield record[:length]
                found += 1
    except OSError as error:
        raise UsageError(
            f"can't read {path} ({error.strerror}): prepare the data set again"
        ) from error
    if found != count:
        raise _damaged(path, f"{count} records were expected, {found} are there")


def masked_crc(content: bytes) -> int:
    """CRC-32C, rotated and shifted as TensorFlow stores it."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = crc >> 8 ^ _TABLE[crc & 0xFF ^ byte]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _damaged(path, reason):
    return UsageError(f"{path} is damaged ({reason}): prepare the data set again")
