"""Data sets in an `.npz` file: the embedded one, or the user's own."""

import dataclasses
import hashlib
import pathlib
import zipfile
from collections.abc import Iterator

import numpy as np

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
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise UsageError(f"can't read {self.path}: {error.strerror}") from error
        return f"sha256-{hashlib.sha256(content).hexdigest()[:16]}"

    def labels(self, data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
        train, test = (self._read(f"y_{split}") for split in ("train", "test"))
        for split, labels in (("train", train), ("test", test)):
            if labels.dtype.kind not in "iu" or labels.ndim != 1:
                raise UsageError(
                    f"y_{split} of {self.path} is {labels.dtype} of shape "
                    f"{labels.shape}: expected integers of shape (n,)"
                )
            if not len(labels) or labels.min() < 0:
                raise UsageError(
                    f"y_{split} of {self.path} is empty or has a label below 0: "
                    "expected at least one label, counted from 0"
                )
        return train, test

    def inputs(self, split: str, data_dir: str | None) -> Iterator[np.ndarray]:
        inputs, labels = self._read(f"x_{split}"), self._read(f"y_{split}")
        are_images = inputs.dtype == np.uint8 and inputs.ndim in (3, 4)
        are_vectors = inputs.dtype.kind == "f" and inputs.ndim == 2
        if not (are_images or are_vectors):
            raise UsageError(
                f"x_{split} of {self.path} is {inputs.dtype} of shape {inputs.shape}: "
                "expected uint8 images (n, height, width[, channels]) or float vectors "
                "(n, size)"
            )
        if len(inputs) != len(labels):
            raise UsageError(
                f"{self.path} has {len(inputs)} x_{split} and {len(labels)} "
                f"y_{split}: expected a label for each"
            )
        yield inputs[..., np.newaxis] if inputs.ndim == 3 else inputs

    def _read(self, key):
        try:
            with np.load(self.path, allow_pickle=False) as file:
                if key not in file:
                    raise UsageError(
                        f"{self.path} has no array {key}: an .npz data set has the "
                        f"arrays {', '.join(_KEYS)}"
                    )
                return file[key]
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise UsageError(f"can't read {self.path} as .npz: {error}") from error
