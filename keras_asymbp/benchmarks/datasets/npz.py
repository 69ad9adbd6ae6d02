"""Data sets in an `.npz` file: the embedded one, or the user's own."""

import dataclasses
import pathlib
from collections.abc import Iterator

import numpy as np

from keras_asymbp.benchmarks.datasets import identity, npy
from keras_asymbp.benchmarks.errors import UsageError

_KEYS = ("x_train", "y_train", "x_test", "y_test")


@dataclasses.dataclass(frozen=True)
class Npz:
    """An `.npz` file with `x_train`, `y_train`, `x_test`, `y_test`.

    Inputs are uint8 images (n, height, width) or (n, height, width, channels), or
    float vectors (n, size); labels are integers (n,) from 0.

    Attributes:
        path: The file.
        fixed_version: Its version; None for a digest of its content.
    """

    path: pathlib.Path
    fixed_version: str | None = None

    @property
    def in_memory(self) -> bool:
        return True

    def version(self, data_dir: str | None) -> str:
        if self.fixed_version:
            return self.fixed_version
        return identity.of_file(self.path)

    def labels(self, data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
        return self._read("y_train"), self._read("y_test")

    def inputs(self, split: str, data_dir: str | None) -> Iterator[np.ndarray]:
        inputs = self._read(f"x_{split}")
        yield inputs[..., np.newaxis] if inputs.ndim == 3 else inputs

    def _read(self, key):
        array = npy.read_npz(self.path, key)
        if array is None:
            raise UsageError(
                f"{self.path} has no array {key}: an .npz data set has the arrays "
                f"{', '.join(_KEYS)}"
            )
        return array
