"""Data sets prepared in a folder by TensorFlow Datasets (TFDS)."""

import dataclasses
import hashlib
import importlib.util
import json
import math
import os
import pathlib
import re
from collections.abc import Iterator

import numpy as np

from keras_asymbp.benchmarks.errors import NotPreparedError, UsageError

# Examples read at a time; reading them singly takes four times as long.
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
        return self.folder(data_dir).name

    def labels(self, data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
        import tensorflow_datasets as tfds

        builder, inputs, labels = self._open(data_dir)
        train, test = (
            np.concatenate(
                list(
                    tfds.as_numpy(
                        self._encoded(builder, inputs, split)
                        .map(lambda example: example[labels])
                        .batch(_BATCH)
                    )
                )
            )
            for split in (self.train, self.test)
        )
        if train.dtype == object:  # names, numbered in alphabetical order
            _, numbers = np.unique([*train, *test], return_inverse=True)
            train, test = np.split(numbers, [len(train)])
        return train, test

    def inputs(self, split: str, data_dir: str | None) -> Iterator[np.ndarray]:
        builder, inputs, _ = self._open(data_dir)
        examples = builder.as_dataset(split=getattr(self, split))
        import tensorflow_datasets as tfds

        shape = builder.info.features[inputs].shape
        size = 1  # where the sizes of the images differ
        if None not in shape:
            size = max(1, min(_BATCH, _BATCH_BYTES // math.prod(shape)))
        batches = examples.map(lambda example: example[inputs]).batch(size)
        yield from tfds.as_numpy(batches)

    def pool(self, splits: str, data_dir: str | None) -> tuple[list[str], list[bytes]]:
        """The class name of each example of `splits`, and the SHA-256 of its input."""
        import tensorflow_datasets as tfds

        builder, inputs, labels = self._open(data_dir)
        feature = builder.info.features[labels]
        examples = self._encoded(builder, inputs, splits).map(
            lambda example: (example[labels], example[inputs])
        )
        names, digests = [], []
        for label, content in tfds.as_numpy(examples):
            is_text = isinstance(label, bytes)
            names.append(label.decode() if is_text else feature.int2str(int(label)))
            digests.append(hashlib.sha256(content).digest())
        return names, digests

    def inputs_at(
        self, splits: str, positions: np.ndarray, data_dir: str | None
    ) -> Iterator[np.ndarray]:
        """Yields the inputs at rising positions of `pool`, one at a time."""
        import tensorflow as tf
        import tensorflow_datasets as tfds

        builder, inputs, _ = self._open(data_dir)
        examples = self._encoded(builder, inputs, splits)
        mask = np.zeros(positions.max() + 1, bool)
        mask[positions] = True
        mask = tf.constant(mask)
        decode = builder.info.features[inputs].decode_example
        selected = (
            examples.take(len(mask))
            .enumerate()
            .filter(lambda position, example: mask[position])
            .map(lambda position, example: decode(example[inputs]))
            .batch(1)
        )
        yield from tfds.as_numpy(selected)

    def folder(self, data_dir: str | None) -> pathlib.Path:
        """The folder of the newest prepared version.

        Raises:
            NotPreparedError: If no version is prepared.
        """
        root = tfds_root(data_dir)
        versions = [
            info.parent
            for info in root.glob(f"{self.name}/*/dataset_info.json")
            # TFDS leaves other names when a preparation is interrupted.
            if re.fullmatch(r"\d+\.\d+\.\d+", info.parent.name)
        ]
        if not versions:
            raise NotPreparedError(f"data set '{self.name}' is not prepared in {root}")
        return max(versions, key=lambda path: [int(n) for n in path.name.split(".")])

    def features(self, data_dir: str | None) -> dict:
        """The features of the prepared data set, as in TFDS's `features.json`."""
        path = self.folder(data_dir) / "features.json"
        try:
            return json.loads(path.read_text())["featuresDict"]["features"]
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(
                f"{path} doesn't describe a data set: prepare it again"
            ) from error

    def _open(self, data_dir):
        """The builder, and the names of its inputs and its labels."""
        import tensorflow_datasets as tfds

        tfds.disable_progress_bar()
        folder = self.folder(data_dir)
        try:
            builder = tfds.builder_from_directory(folder)
        except Exception as error:  # TFDS documents none for a damaged folder
            raise UsageError(f"can't read {folder}: {error}") from error
        if not builder.info.supervised_keys:
            raise UsageError(f"{folder} has no supervised keys: inputs and labels")
        # LFW names its labels first.
        kinds = (tfds.features.ClassLabel, tfds.features.Text)
        keys = sorted(
            builder.info.supervised_keys,
            key=lambda key: isinstance(builder.info.features[key], kinds),
        )
        return builder, *keys

    @staticmethod
    def _encoded(builder, inputs, splits):
        import tensorflow_datasets as tfds

        return builder.as_dataset(
            split=splits, decoders={inputs: tfds.decode.SkipDecoding()}
        )


def tfds_root(data_dir: str | None) -> pathlib.Path:
    """The folder of prepared data sets: `data_dir`, or the default of TFDS."""
    return pathlib.Path(
        data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    ).expanduser()


def bundled_builder(name: str) -> str | None:
    """The module of this package with the builder of that name, or None."""
    module = f"{__package__}.builders.{name.split('/')[0]}"
    try:
        return module if importlib.util.find_spec(module) else None
    except ModuleNotFoundError:
        return None
