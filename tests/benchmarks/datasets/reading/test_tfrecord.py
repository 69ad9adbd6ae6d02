import os
import struct

import pytest

from keras_asymbp.benchmarks.datasets.reading import tfrecord
from keras_asymbp.benchmarks.errors import UsageError

CONTENTS = [b"one", b"", b"x" * 1000]


@pytest.fixture
def path(tmp_path):
    """A file of three records, written by the definition of the format."""
    path = tmp_path / "toy.tfrecord"
    with path.open("wb") as file:
        for content in CONTENTS:
            length = struct.pack("<Q", len(content))
            for part in (length, content):
                file.write(part + struct.pack("<I", tfrecord.masked_crc(part)))
    return path


def test_records_come_in_their_order(path):
    assert list(tfrecord.records(path, 3)) == CONTENTS


def test_the_checksum_is_crc_32c():
    # The check value of CRC-32C in catalogues of checksums, of the digits 1 to 9.
    crc = 0xE3069283
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32
    assert tfrecord.masked_crc(b"123456789") == masked


def test_tensorflow_agrees(path, tmp_path):
    tf = pytest.importorskip("tensorflow")
    read = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
    assert read == CONTENTS
    written = tmp_path / "tensorflow.tfrecord"
    with tf.io.TFRecordWriter(str(written)) as writer:
        for content in CONTENTS:
            writer.write(content)
    assert written.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("count", [0, 2, 4])
def test_another_number_of_records(count, path):
    words = rf"^{path} is damaged \(it has 3 of {count} records\): "
    with pytest.raises(UsageError, match=words + "delete its folder"):
        list(tfrecord.records(path, count))


@pytest.mark.parametrize("size", [1, 11, 12, 17, 18, 19, 30, 35, 60, 1050])
def test_a_cut_file(size, path):
    os.truncate(path, size)
    with pytest.raises(UsageError, match=rf"^{path} is damaged \(.*\): delete"):
        list(tfrecord.records(path, 3))


@pytest.mark.parametrize("at", [0, 5, 8, 11])
def test_a_wrong_length(at, path):
    content = bytearray(path.read_bytes())
    content[at] ^= 0x80
    path.write_bytes(content)
    words = rf"^{path} is damaged \(record 1 has a wrong checksum\)"
    with pytest.raises(UsageError, match=words):
        list(tfrecord.records(path, 3))


def test_a_length_beyond_memory(path):
    length = struct.pack("<Q", 2**63)
    path.write_bytes(length + struct.pack("<I", tfrecord.masked_crc(length)) + b"x" * 9)
    with pytest.raises(UsageError, match="it ends within record 1"):
        list(tfrecord.records(path, 1))


def test_a_missing_file(tmp_path):
    with pytest.raises(UsageError, match=r"can't read .*none \(No such file"):
        list(tfrecord.records(tmp_path / "none", 1))
