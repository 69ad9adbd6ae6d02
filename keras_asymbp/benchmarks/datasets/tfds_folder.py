"""Data sets that TensorFlow Datasets has prepared in a folder."""

import dataclasses
import json
import os
import pathlib
import re

import numpy as np

from keras_asymbp.benchmarks.errors import UsageError

# One example at a time takes four times as long.
_BATCH = 4096


@dataclasses.dataclass(frozen=True)
class TfdsFolder:
    """A prepared data set, read from its folder: the network is never asked.

    Attributes:
        name: The builder's name in TensorFlow Datasets.
    """

    name: str

    def version(self, data_dir: str | None) -> str:
        return self._find(data_dir).name

    def counts(self, data_dir: str | None) -> tuple[int, int]:
        info = json.loads((self._find(data_dir) / "dataset_info.json").read_text())
        sizes = {
            split["name"]: sum(map(int, split["shardLengths"]))
            for split in info["splits"]
        }
        return sizes["train"], sizes["test"]

    def load(self, data_dir: str | None) -> tuple[np.ndarray, ...]:
        folder = self._find(data_dir)
        import tensorflow_datasets as tfds

        tfds.disable_progress_bar()
        builder = tfds.builder_from_directory(folder)
        arrays = []
        for split in ("train", "test"):
            batches = tfds.as_numpy(
                builder.as_dataset(split=split, batch_size=_BATCH, as_supervised=True)
            )
            images, labels = zip(*batches, strict=True)
            arrays += [np.concatenate(images), np.concatenate(labels)]
        return tuple(arrays)

    def _find(self, data_dir: str | None) -> pathlib.Path:
        """The folder of the newest version that is prepared."""
        root = pathlib.Path(
            data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
        ).expanduser()
        versions = [
            info.parent
            for info in root.glob(f"{self.name}/*/dataset_info.json")
            # Others are TFDS's own, of a preparation that was cut short.
            if re.fullmatch(r"\d+\.\d+\.\d+", info.parent.name)
        ]
        if not versions:
            raise UsageError(
                f"data set '{self.name}' is not prepared in {root}: name the folder "
                "where it is with --data_dir, or prepare it there with: python -c "
                f"\"import tensorflow_datasets as tfds; tfds.load('{self.name}', "
                f"data_dir='{root}')\""
            )
        return max(versions, key=lambda path: [int(n) for n in path.name.split(".")])
