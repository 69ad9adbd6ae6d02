"""Data sets that are part of the package."""

import dataclasses
import pathlib

import numpy as np


@dataclasses.dataclass(frozen=True)
class Npz:
    """An `.npz` file of the package with `x_train`, `y_train`, `x_test`, `y_test`."""

    path: pathlib.Path

    def version(self, data_dir: str | None) -> str:
        return "1"

    def counts(self, data_dir: str | None) -> tuple[int, int]:
        with np.load(self.path, allow_pickle=False) as arrays:
            return len(arrays["y_train"]), len(arrays["y_test"])

    def load(self, data_dir: str | None) -> tuple[np.ndarray, ...]:
        with np.load(self.path, allow_pickle=False) as arrays:
            x_train, y_train, x_test, y_test = (
                arrays[key] for key in ("x_train", "y_train", "x_test", "y_test")
            )
        return x_train[..., np.newaxis], y_train, x_test[..., np.newaxis], y_test
