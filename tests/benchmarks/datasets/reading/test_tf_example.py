import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from keras_asymbp.benchmarks.datasets.reading import tf_example


def field(number, content):
    """A field with bytes or, for an integer, a varint."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value):
    value %= 2**64
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def example(**features):
    """A `tf.train.Example` of features that are encoded already."""
    pairs = (field(1, key.encode()) + field(2, f) for key, f in features.items())
    return field(1, b"".join(field(1, pair) for pair in pairs))


STRINGS = field(1, field(1, b"ab") + field(1, b""))
FLOATS = np.array([1.5, -2], "<f4")
INTEGERS = [0, 127, 128, 2**63 - 1, -1, -(2**63)]


def test_strings():
    parsed = tf_example.parse(example(x=STRINGS, y=STRINGS), ("y",))
    assert parsed == {"y": [b"ab", b""]}


@pytest.mark.parametrize("packed", [True, False])
def test_floats(packed):
    singly = b"".join(varint(1 << 3 | 5) + value.tobytes() for value in FLOATS)
    content = field(1, FLOATS.tobytes()) if packed else singly
    values = tf_example.parse(example(x=field(2, content)), ("x",))["x"]
    np.testing.assert_array_equal(values, FLOATS)
    assert values.dtype == np.float32


@pytest.mark.parametrize("packed", [True, False])
def test_integers(packed):
    singly = b"".join(field(1, value) for value in INTEGERS)
    content = field(1, b"".join(map(varint, INTEGERS))) if packed else singly
    values = tf_example.parse(example(x=field(3, content)), ("x",))["x"]
    assert (values.tolist(), values.dtype) == (INTEGERS, np.int64)


def test_other_fields_are_skipped():
    others = varint(9 << 3 | 1) + bytes(8) + varint(9 << 3 | 5) + bytes(4) + field(9, 7)
    message = others + example(x=others + STRINGS, empty=b"") + others
    parsed = tf_example.parse(message, ("x", "empty", "none"))
    assert parsed == {"x": [b"ab", b""], "empty": []}


def test_tensorflow_agrees():
    tf = pytest.importorskip("tensorflow")
    feature = {
        "strings": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"ab", b""])),
        "floats": tf.train.Feature(float_list=tf.train.FloatList(value=FLOATS)),
        "integers": tf.train.Feature(int64_list=tf.train.Int64List(value=INTEGERS)),
    }
    written = tf.train.Example(features=tf.train.Features(feature=feature))
    parsed = tf_example.parse(written.SerializeToString(), tuple(feature))
    assert parsed["strings"] == [b"ab", b""]
    np.testing.assert_array_equal(parsed["floats"], FLOATS)
    assert parsed["integers"].tolist() == INTEGERS


@pytest.mark.parametrize(
    "message",
    [
        b"\x0a",  # no length
        b"\x0a\x05abc",
        b"\x0b\x00",  # a group, which the format no longer has
        b"\x80" * 11,
        field(1, 5),
        example(x=field(1, field(1, 5))),
        example(x=field(2, field(1, b"abc"))),
        example(x=field(3, field(1, b"\x80"))),
        example(x=STRINGS)[:-1],
    ],
)
def test_garbage(message):
    with pytest.raises(tf_example.MalformedError):
        tf_example.parse(message, ("x",))


@hypothesis.given(st.binary(max_size=60), st.integers(0, 60))
def test_any_bytes_are_parsed_or_refused(noise, at):
    message = example(x=STRINGS, y=field(3, field(1, b"\x05")), z=field(2, b""))
    for damaged in (noise, message[:at] + noise + message[at + len(noise) :]):
        try:
            parsed = tf_example.parse(damaged, ("x", "y", "z"))
        except tf_example.MalformedError:
            continue
        assert parsed.keys() <= {"x", "y", "z"}
