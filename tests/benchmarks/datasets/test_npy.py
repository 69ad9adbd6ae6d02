import io
import struct
import zipfile

import numpy as np
import pytest

from keras_asymbp.benchmarks.datasets import npy
from keras_asymbp.benchmarks.errors import UsageError


def header(shape, descr="<f4", version=(1, 0)):
    """An `.npy` file that ends after its header."""
    content = io.BytesIO()
    write = np.lib.format.write_array_header_1_0
    if version == (2, 0):
        write = np.lib.format.write_array_header_2_0
    write(content, {"descr": descr, "fortran_order": False, "shape": shape})
    return content.getvalue()


def zipped(path, content, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("x.npy", content)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4),
        np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)),
        np.zeros((500, 1000), np.uint8),  # deflate can't shrink it more
        np.zeros((0, 3)),
        np.array(5),
    ],
)
def test_arrays_are_those_of_numpy(array, save, tmp_path):
    save(tmp_path / "a.npz", x=array)
    read = npy.read_npz(tmp_path / "a.npz", "x")
    np.testing.assert_array_equal(read, array, strict=True)
    assert npy.read_npz(tmp_path / "a.npz", "y") is None
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(npy.map_npy(tmp_path / "a.npy"), array, strict=True)


@pytest.mark.parametrize(
    "content",
    [
        header((10**13,)),
        header((10**13,), version=(2, 0)),
        header((2**40, 2**40)),
        header((-1,)) + bytes(4),
        header((3,)) + bytes(11),
        header((10**13,), "|V0"),
        header((1,), "|O") + bytes(8),
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x09\x00" + bytes(20),
        b"\x93NUMPY\x01\x00" + struct.pack("<H", 9) + b"__import_",
    ],
)
def test_a_broken_array(content, tmp_path):
    path = zipped(tmp_path / "a.npz", content)
    with pytest.raises(UsageError, match=rf"^can't read {path} \([^\n]+\): save it"):
        npy.read_npz(path, "x")
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(UsageError, match=rf"^can't read {tmp_path}/a.npy \([^\n]+\)"):
        npy.map_npy(tmp_path / "a.npy")


def test_a_member_that_promises_more_than_deflate_can_hold(tmp_path):
    """Both headers promise 4e13 bytes, and the archive has a few hundred."""
    path = zipped(tmp_path / "a.npz", header((10**13,)))
    content = path.read_bytes()
    at = content.rindex(b"PK\x01\x02")
    size = struct.pack("<I", 2**32 - 2)
    path.write_bytes(content[: at + 24] + size + content[at + 28 :])
    with pytest.raises(UsageError, match="which is not in the file"):
        npy.read_npz(path, "x")


def damaged(path, kind):
    np.savez(path, x=np.arange(1000))
    content = bytearray(path.read_bytes())
    match kind:
        case "an .npy":
            np.save(path.with_suffix(".npy"), np.arange(3))
            path.write_bytes(path.with_suffix(".npy").read_bytes())
        case "cut":
            path.write_bytes(content[:-50])
        case "a wrong checksum":
            content[5000] ^= 1
            path.write_bytes(content)
        case "encrypted":
            for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
                content[content.index(mark) + offset] |= 1
            path.write_bytes(content)
        case "another method":
            zipped(path, header((0,)), zipfile.ZIP_LZMA)
        case "no archive":
            path.write_bytes(b"<html>")
        case "nothing":
            path.write_bytes(b"")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("an .npy", "it is an .npy file, of one array"),
        ("cut", "File is not a zip file"),
        ("a wrong checksum", "Bad CRC-32 for file 'x.npy'"),
        ("encrypted", "is encrypted"),
        ("another method", "x is compressed by another method than deflate"),
        ("no archive", "File is not a zip file"),
        ("nothing", "File is not a zip file"),
    ],
)
def test_a_damaged_archive(kind, words, tmp_path):
    path = tmp_path / "a.npz"
    damaged(path, kind)
    with pytest.raises(UsageError, match=rf"^can't read {path} \(.*{words}.*\): save"):
        npy.read_npz(path, "x")
