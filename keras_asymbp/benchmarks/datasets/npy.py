"""Reads NumPy's files, which may promise more than they hold."""

import math
import os
import pathlib
import zipfile
from typing import IO

import numpy as np

from keras_asymbp.benchmarks.datasets import foreign

# Deflate shrinks by this factor at most.
_DEFLATE = 1032
_FORMATS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SAVE_AGAIN = "save it again with numpy.savez"


def read_npz(path: pathlib.Path, key: str) -> np.ndarray | None:
    """Reads an array of an `.npz` file; None if there is none of that name.

    Raises:
        UsageError: If the file can't be read, holds pickled objects, or is shorter than
            the array that it promises.
    """
    with foreign.opened(path, _SAVE_AGAIN) as file:
        if file.read(6) == b"\x93NUMPY":
            words = "it is an .npy file, of one array"
            raise foreign.unreadable(path, words, _SAVE_AGAIN)
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            if f"{key}.npy" not in archive.namelist():
                return None
            member = archive.getinfo(f"{key}.npy")
            kept = min(member.compress_size, os.fstat(file.fileno()).st_size)
            if member.compress_type not in _FORMATS:
                words = f"{key} is compressed by another method than deflate"
                raise foreign.unreadable(path, words, _SAVE_AGAIN)
            with archive.open(member) as content:
                size = min(member.file_size, kept * _DEFLATE)
                _check_header(path, key, content, size)
            with archive.open(member) as content:
                array = np.lib.format.read_array(content, allow_pickle=False)
                content.read()  # to the end, where the checksum is compared
                return array


def map_npy(path: pathlib.Path, step: str = _SAVE_AGAIN) -> np.ndarray:
    """Maps an `.npy` file into memory.

    Raises:
        UsageError: As `read_npz`.
    """
    with foreign.opened(path, step) as file:
        _check_header(path, "it", file, os.fstat(file.fileno()).st_size, step)
        return np.load(path, mmap_mode="r", allow_pickle=False)


def _check_header(path, key, file: IO[bytes], size, step=_SAVE_AGAIN):
    """Refuses an array that isn't there as promised, before memory is taken for it."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    if dtype.hasobject:
        words = f"{key} holds pickled Python objects, which are never loaded"
        raise foreign.unreadable(path, words, step)
    promised = math.prod(shape) * dtype.itemsize
    if (
        min(shape, default=0) < 0
        or dtype.itemsize == 0
        or file.tell() + promised > size
    ):
        words = f"{key} should be {shape} of {dtype}, which is not in the file"
        raise foreign.unreadable(path, words, step)
