"""The messages `tf.train.Example`, in the wire format of protocol buffers."""

from collections.abc import Iterator

import numpy as np

# The field of `Feature` that is set says of what type its values are.
_BYTES, _FLOATS, _INTEGERS = 1, 2, 3
# The types of fields on the wire: a varint, 8 bytes, bytes with their length, 4 bytes.
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5


class MalformedError(ValueError):
    """Bytes are no message of this format."""


def parse(message: bytes, keys: tuple[str, ...]) -> dict[str, list[bytes] | np.ndarray]:
    """The values of some features of an example, by name.

    Strings come as a list of bytes, numbers as an array of float32 or int64.

    Args:
        message: The example.
        keys: The names of the features.

    Raises:
        MalformedError: If it is no such message.
    """
    wanted = {key.encode() for key in keys}
    found = {}
    for features in _messages(message, 1):
        for entry in _messages(features, 1):
            pair = dict(_fields(entry))
            name, feature = pair.get(1), pair.get(2, b"")
            if name in wanted and isinstance(feature, bytes):
                found[name.decode()] = _values(feature)
    return found


def _values(feature):
    for kind, content in _fields(feature):
        if kind == _BYTES:
            return list(_messages(content, 1))
        if kind == _FLOATS:  # packed or one by one, the bytes are the same
            values = b"".join(_messages(content, 1))
            if len(values) % 4:
                raise MalformedError
            return np.frombuffer(values, "<f4")
        if kind == _INTEGERS:
            return np.array(list(_integers(content)), np.uint64).astype(np.int64)
    return []


def _integers(content):
    for number, value in _fields(content):
        if number == 1 and isinstance(value, int):
            yield value
        elif number == 1:  # packed
            at = 0
            while at < len(value):
                integer, at = _varint(value, at)
                yield integer


def _messages(message: bytes, number: int) -> Iterator[bytes]:
    """The bytes of each field of that number."""
    for field, value in _fields(message):
        if field == number:
            if isinstance(value, int):
                raise MalformedError
            yield value


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yields number and value of each field."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        wire = tag & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        if wire == _LENGTH:
            size, at = _varint(message, at)
        elif wire in (_FOUR, _EIGHT):
            size = 4 if wire == _FOUR else 8
        else:
            raise MalformedError
        at += size
        if at > end:
            raise MalformedError
        yield tag >> 3, message[at - size : at]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """An integer of up to 64 bits, 7 in each byte, and the position behind it."""
    value = shift = 0
    while shift < 64 and at < len(message):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise MalformedError
