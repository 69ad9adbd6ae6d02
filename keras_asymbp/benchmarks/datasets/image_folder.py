"""The user's own images: a folder of class folders."""

import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Iterator

import numpy as np

from keras_asymbp.benchmarks.counting import counted
from keras_asymbp.benchmarks.datasets import foreign, identity
from keras_asymbp.benchmarks.datasets.decoding import decode_image
from keras_asymbp.benchmarks.errors import UsageError

# The formats that are decoded.
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_REPAIR = "repair it, or move it elsewhere"
_SPLITS = ("train", "test")
# One test image in five of each class, where the folder has no test split.
_TEST_SHARE = 5


@dataclasses.dataclass(frozen=True)
class ImageFolder:
    """A folder of images, with a folder for each class, named after it.

    Folders `train` and `test` at the top, with class folders in each, are the splits;
    images elsewhere, such as in a folder `valid`, are refused. Without them the test
    split is the last fifth of each class, in the order of the digests of the file
    names.

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
        return identity.of_files(self.path, files, _REPAIR)

    def classes(self) -> list[str]:
        """The names of the classes; a label is an index into them."""
        root = self._roots().get("train", self.path)
        names = [folder.name for folder in _folders(root) if _images(folder)]
        if len(names) < 2:
            raise UsageError(
                f"{root} has {counted(len(names), 'folder')} with images "
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
            yield decode_image(foreign.read_bytes(file, _REPAIR), 3, file)[np.newaxis]

    def _roots(self) -> dict[str, pathlib.Path]:
        """The folders of the splits; none if the class folders are at the top.

        Raises:
            UsageError: If there are images that are in neither split.
        """
        roots = {
            folder.name.lower(): folder
            for folder in _folders(self.path)
            if folder.name.lower() in _SPLITS and _has_class_folders(folder)
        }
        if "train" not in roots:
            return {}
        if "test" not in roots:
            raise UsageError(
                f"{roots['train']} has class folders, and there is no "
                "folder 'test' with class folders beside it: expected both, or class "
                "folders alone"
            )
        for folder in _folders(self.path):
            if folder not in (roots["train"], roots["test"]) and _images(folder):
                raise UsageError(
                    f"{folder} has images that are neither in 'train' "
                    "nor in 'test', the splits that are used: move them into one of "
                    "these, or the folder elsewhere"
                )
        return roots

    def _splits(self) -> dict[str, list[tuple[pathlib.Path, int]]]:
        """The files of each split with their labels."""
        splits: dict[str, list[tuple[pathlib.Path, int]]] = {"train": [], "test": []}
        names = self.classes()
        if roots := self._roots():
            for split, chosen in splits.items():
                for folder in _folders(roots[split]):
                    found = _images(folder)
                    if found and folder.name not in names:
                        raise UsageError(
                            f"{folder} has images of a class that "
                            f"{roots['train']} lacks: classes are "
                            f"{', '.join(names)}"
                        )
                    chosen += [(file, names.index(folder.name)) for file in found]
            return splits
        for label, name in enumerate(names):
            files = sorted(
                _images(self.path / name),
                key=lambda file: hashlib.sha256(os.fsencode(file.name)).digest(),
            )
            if len(files) < 2:
                raise UsageError(
                    f"{self.path / name} has one image: expected "
                    "two or more, for training and testing"
                )
            held_out = max(1, len(files) // _TEST_SHARE)
            splits["train"] += [(file, label) for file in files[:-held_out]]
            splits["test"] += [(file, label) for file in files[-held_out:]]
        return splits


def _folders(root: pathlib.Path) -> list[pathlib.Path]:
    """The folders in a folder.

    Raises:
        UsageError: If there is an image beside them, or a link that leads nowhere.
    """
    found = []
    with foreign.guarded(root, "choose another folder"):
        for entry in sorted(root.iterdir()):
            if foreign.is_hidden(entry.name):
                continue
            if entry.is_dir():
                found.append(entry)
                continue
            if entry.is_symlink() or _is_image(entry):
                foreign.check_regular(entry, _REPAIR)
            if _is_image(entry):
                raise UsageError(
                    f"{entry} is in no class folder: move it into one, or elsewhere"
                )
    return found


def _has_class_folders(folder: pathlib.Path) -> bool:
    return any(image.parent != folder for image in _images(folder))


def _images(folder: pathlib.Path) -> list[pathlib.Path]:
    return [file for file in foreign.files(folder, _REPAIR) if _is_image(file)]


def _is_image(file: pathlib.Path) -> bool:
    return file.suffix.lower() in SUFFIXES
