"""Data sets prepared in a folder by TensorFlow Datasets (TFDS)."""

import dataclasses
import hashlib
import importlib.util
import itertools
import json
import math
import os
import pathlib
import re
from collections.abc import Iterator

import numpy as np

from keras_asymbp.benchmarks.datasets import foreign, reading
from keras_asymbp.benchmarks.datasets.decoding import decode_image
from keras_asymbp.benchmarks.datasets.identity import remembered
from keras_asymbp.benchmarks.datasets.reading import description, without_tfds
from keras_asymbp.benchmarks.errors import NotPreparedError, UsageError

# Examples decoded at a time.
_BATCH = 4096
_BATCH_BYTES = 2**25


@dataclasses.dataclass(frozen=True)
class TfdsFolder:
    """A prepared data set, read from its folder without access to the network.

    Attributes:
        name: Name of the builder in TFDS, with "/config" if it has several.
        train: The split to train on, in the syntax of TFDS.
        test: The split to test on.
        url: The server that it is downloaded from; None if unknown, or if the user has
            to provide the files.
    """

    name: str
    train: str = "train"
    test: str = "test"
    url: str | None = None

    @property
    def in_memory(self) -> bool:
        return False

    def version(self, data_dir: str | None) -> str:
        return self.identity((self.train, self.test), data_dir)

    def identity(self, splits: tuple[str, ...], data_dir: str | None) -> str:
        """The identity of some splits: that of their classes, labels and inputs.

        It depends on neither the version of the builder nor the files: TFDS writes the
        features of an example in any order, another each time.

        Args:
            splits: The splits, each in the syntax of TFDS; their order matters.
            data_dir: Folder of data sets prepared by TFDS.

        Raises:
            UsageError: If they can't be read.
        """
        folder = self.folder(data_dir)
        kind = f"tfds {' '.join(splits)}"
        files = sorted(path for path in folder.iterdir() if path.is_file())
        return remembered(
            *(kind, folder, files, lambda: _digest(folder, splits)),
            foreign.PREPARE_AGAIN,
        )

    def labels(self, data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
        folder, _, key = self._open(data_dir)
        train, test = (
            [label for (label,) in reading.examples(folder, split, (key,))]
            for split in (self.train, self.test)
        )
        if "text" in description.features(folder)[key]:
            # Names, numbered in alphabetical order.
            names = np.array([*train, *test], object)
            _, numbers = np.unique(names, return_inverse=True)
            return numbers[: len(train)], numbers[len(train) :]
        return np.array(train), np.array(test)

    def inputs(self, split: str, data_dir: str | None) -> Iterator[np.ndarray]:
        folder, key, _ = self._open(data_dir)
        contents = reading.examples(folder, getattr(self, split), (key,))
        decoded = _decoded(
            folder, key, ((at, content) for at, (content,) in enumerate(contents))
        )
        shape = description.shape(description.features(folder)[key])
        size = 1  # where the sizes of the images differ
        if -1 not in shape:
            size = max(1, min(_BATCH, _BATCH_BYTES // math.prod(shape)))
        while batch := list(itertools.islice(decoded, size)):
            yield np.stack(batch)

    def pool(self, splits: str, data_dir: str | None) -> tuple[list[str], list[bytes]]:
        """The class name of each example of `splits`, and the SHA-256 of its input."""
        folder, inputs, labels = self._open(data_dir)
        is_text = "text" in description.features(folder)[labels]
        classes = [] if is_text else description.class_names(folder, labels)
        names, digests = [], []
        for label, content in reading.examples(folder, splits, (labels, inputs)):
            if not (is_text or 0 <= label < len(classes)):
                raise UsageError(
                    f"{folder} has the label {label}: expected {len(classes)} classes, "
                    f"counted from 0: {foreign.PREPARE_AGAIN}"
                )
            names.append(label.decode() if is_text else classes[label])
            digests.append(hashlib.sha256(content).digest())
        return names, digests

    def inputs_at(
        self, splits: str, positions: np.ndarray, data_dir: str | None
    ) -> Iterator[np.ndarray]:
        """Yields the inputs at rising positions of `pool`, one at a time."""
        folder, key, _ = self._open(data_dir)
        chosen = set(positions.tolist())
        contents = enumerate(reading.examples(folder, splits, (key,)))
        first = itertools.islice(contents, max(chosen) + 1)
        for example in _decoded(
            folder, key, ((at, content) for at, (content,) in first if at in chosen)
        ):
            yield example[np.newaxis]

    def folder(self, data_dir: str | None) -> pathlib.Path:
        """The folder of the newest prepared version.

        Raises:
            NotPreparedError: If no version is prepared.
        """
        root = tfds_root(data_dir)
        versions = [
            info.parent
            for info in descriptions(self.name, data_dir)
            # TFDS leaves other names when a preparation is interrupted.
            if re.fullmatch(r"\d+\.\d+\.\d+", info.parent.name)
        ]
        if not versions:
            raise NotPreparedError(f"data set '{self.name}' is not prepared in {root}")
        return max(versions, key=lambda path: [int(n) for n in path.name.split(".")])

    def _open(self, data_dir):
        """The folder, and the names of its inputs and its labels."""
        folder = self.folder(data_dir)
        return folder, *description.supervised_keys(folder)


def _digest(folder, splits) -> str:
    """The SHA-256 of what `splits` give: of each one's digest, and of their features.

    Each label and each input counts as it is stored, before it is decoded.
    """
    try:
        return _digest_of(folder, splits, without_tfds.examples)
    except without_tfds.NeedsTfdsError:
        return _digest_of(folder, splits, reading.examples)


def _digest_of(folder, splits, examples):
    inputs, labels = description.supervised_keys(folder)
    features = description.features(folder)
    classes = folder / f"{labels}.labels.txt"
    with description.understood(folder / "features.json"):
        kind = description.kind(features[inputs])
        about = [
            *(kind, description.shape(features[inputs])),
            features[inputs][kind].get("dtype"),
            *(description.kind(features[labels]), features[labels]),
            description.class_names(folder, labels) if classes.exists() else None,
        ]
    digest = hashlib.sha256(json.dumps(about).encode())
    for split in splits:
        of_split = hashlib.sha256()
        for content, label in examples(folder, split, (inputs, labels)):
            for value in (_bytes(content), _bytes(label)):
                of_split.update(hashlib.sha256(value).digest())
        digest.update(of_split.digest())
    return digest.hexdigest()


def _bytes(value) -> bytes:
    """An image, a text, a vector or a class number, the same on every machine."""
    if isinstance(value, bytes):
        return value
    array = np.asarray(value)
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


def _decoded(folder, key, contents) -> Iterator[np.ndarray]:
    """Yields the inputs of pairs of a position and an undecoded input."""
    feature = description.features(folder)[key]
    shape = description.shape(feature)
    if "tensor" in feature:
        yield from (content for _, content in contents)
        return
    dtype = feature["image"].get("dtype")
    if dtype != "uint8" or shape[2:] not in ((1,), (3,)):
        raise UsageError(
            f"{folder} has images of the shape {shape} of {dtype}: expected 1 or 3 "
            "channels of uint8; choose another data set"
        )
    for position, content in contents:
        which = f"image {position} of {folder}"
        image = decode_image(content, shape[2], which)
        if any(size not in (-1, n) for size, n in zip(shape, image.shape, strict=True)):
            raise UsageError(
                f"{which} has the shape {image.shape}: expected {shape}; "
                f"{foreign.PREPARE_AGAIN}"
            )
        yield image


def tfds_root(data_dir: str | None) -> pathlib.Path:
    """The folder of prepared data sets: `data_dir`, or the default of TFDS."""
    folder = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    # Unlike the method of a path, it takes any text.
    return pathlib.Path(os.path.expanduser(folder))


def descriptions(name: str, data_dir: str | None) -> list[pathlib.Path]:
    """The descriptions of the prepared versions of a data set."""
    root = tfds_root(data_dir)
    if not os.path.isdir(root):  # `glob` raises an error for a path that can't be
        return []
    return sorted(root.glob(f"{name}/*/dataset_info.json"))


def bundled_builder(name: str) -> str | None:
    """The module of this package with the builder of that name, or None."""
    module = f"{__package__}.builders.{name.split('/')[0]}"
    try:
        return module if importlib.util.find_spec(module) else None
    except ModuleNotFoundError:
        return None
