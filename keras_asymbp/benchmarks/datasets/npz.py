"""Data sets that are an `.npz` file: the embedded one, and a user's."""

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

    Args:
        path: The file.
        fixed_version: Its version; None for a digest of its content.
    """

    path: pathlib.Path
    fixed_version: str | None = None

    @property
    def held(self) -> bool:
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
        arrays = self._read()
        return arrays["y_train"], arrays["y_test"]

    def inputs(self, split: str, data_dir: str | None) -> Iterator[np.ndarray]:
        inputs = self._read()[f"x_{split}"]
        yield inputs[..., np.newaxis] if inputs.ndim == 3 else inputs

    def _read(self):
        try:
            with np.load(self.path, allow_pickle=False) as file:
                missing = [key for key in _KEYS if key not in file]
                if missing:
                    raise UsageError(
                        f"{self.path} has no array {', '.join(missing)}: an .npz data "
                        f"set has the arrays {', '.join(_KEYS)}"
                    )
                arrays = {key: file[key] for key in _KEYS}
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise UsageError(f"can't read {self.path} as .npz: {error}") from error
        for split in ("train", "test"):
            _check(self.path, split, arrays[f"x_{split}"], arrays[f"y_{split}"])
        return arrays


def _check(path, split, inputs, labels):
    image = inputs.dtype == np.uint8 and inputs.ndim in (3, 4)
    vector = inputs.dtype.kind == "f" and inputs.ndim == 2
    if not (image or vector):
        raise UsageError(
            f"x_{split} of {path} is {inputs.dtype} of shape {inputs.shape}: expected "
            "uint8 images (n, height, width[, channels]) or float vectors (n, size)"
        )
    if labels.dtype.kind not in "iu" or labels.shape != inputs.shape[:1]:
        raise UsageError(
            f"y_{split} of {path} is {labels.dtype} of shape {labels.shape}: expected "
            f"integers of shape {inputs.shape[:1]}, a label for each of x_{split}"
        )
    if not len(labels) or labels.min() < 0:
        raise UsageError(
            f"y_{split} of {path} is empty or has a label below 0: expected one label "
            "or more, counted from 0"
        )
