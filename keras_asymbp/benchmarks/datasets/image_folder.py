"""The user's own images: a folder of class folders."""

import dataclasses
import hashlib
import pathlib
from collections.abc import Iterator

import numpy as np

from keras_asymbp.benchmarks.datasets import identity
from keras_asymbp.benchmarks.datasets.decoding import decode_image
from keras_asymbp.benchmarks.errors import UsageError

# The formats that are decoded.
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
# One test image in five of each class, where the folder has no test split.
_TEST_SHARE = 5


@dataclasses.dataclass(frozen=True)
class ImageFolder:
    """A folder of images, with a folder for each class, named after it.

    Folders `train` and `test` at the top, with class folders in each, are the splits.
    Without them the test split is the last fifth of each class, in the order of the
    digests of the file names.

    Attributes:
        path: The folder.
    """

    path: pathlib.Path

    @property
    def in_memory(self) -> bool:
        return False

    def version(self, data_dir: str | None) -> str:
        """A digest of the names and contents of all images."""
        files = [file for split in self._splits().values() for file, _ in split]
        return identity.of_files(self.path, files)

    def classes(self) -> list[str]:
        """The names of the classes; a label is an index into them."""
        root = self.path / "train" if self._is_split() else self.path
        names = [folder.name for folder in sorted(root.iterdir()) if _images(folder)]
        if len(names) < 2:
            raise UsageError(
                f"{root} has {len(names)} folder(s) with images "
                f"({', '.join(SUFFIXES)}): expected one for each class, two or more"
            )
        return names

    def labels(self, data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
        splits = self._splits()
        train, test = (
            np.array([label for _, label in splits[split]])
            for split in ("train", "test")
        )
        return train, test

    def inputs(self, split: str, data_dir: str | None) -> Iterator[np.ndarray]:
        for file, _ in self._splits()[split]:
            yield decode_image(file.read_bytes(), 3, file)[np.newaxis]

    def _is_split(self):
        return all((self.path / split).is_dir() for split in ("train", "test"))

    def _splits(self) -> dict[str, list[tuple[pathlib.Path, int]]]:
        """The files of each split with their labels."""
        splits: dict[str, list[tuple[pathlib.Path, int]]] = {"train": [], "test": []}
        names = self.classes()
        if self._is_split():
            for split, chosen in splits.items():
                for folder in sorted((self.path / split).iterdir()):
                    found = _images(folder)
                    if found and folder.name not in names:
                        raise UsageError(
                            f"{folder} has images of a class that {self.path / 'train'}"
                            f" lacks: classes are {', '.join(names)}"
                        )
                    chosen += [(file, names.index(folder.name)) for file in found]
            if not splits["test"]:
                raise UsageError(f"{self.path / 'test'} has no images in class folders")
            return splits
        for label, name in enumerate(names):
            files = sorted(
                _images(self.path / name),
                key=lambda file: hashlib.sha256(file.name.encode()).digest(),
            )
            if len(files) < 2:
                raise UsageError(
                    f"{self.path / name} has one image: expected two or more, for "
                    "training and testing"
                )
            held_out = max(1, len(files) // _TEST_SHARE)
            splits["train"] += [(file, label) for file in files[:-held_out]]
            splits["test"] += [(file, label) for file in files[-held_out:]]
        return splits


def _images(folder: pathlib.Path) -> list[pathlib.Path]:
    if not folder.is_dir() or folder.name.startswith("."):
        return []
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
