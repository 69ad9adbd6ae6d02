"""What a data set is: a row of the paper's tables, or a user's own."""

import dataclasses
import typing
from collections.abc import Iterator

import numpy as np

from keras_asymbp.benchmarks.errors import NotPreparedError, UsageError


@dataclasses.dataclass(frozen=True)
class Arrays:
    """A data set's inputs and labels, in memory or memory-mapped.

    Inputs are uint8 images (n, height, width, channels) or float vectors (n, size),
    labels are integers (n,).
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


class Source(typing.Protocol):
    """Where a data set comes from."""

    @property
    def in_memory(self) -> bool:
        """Whether it is in memory at once, so that nothing is gained by a copy."""

    def version(self, data_dir: str | None) -> str:
        """What is there, without loading it; NotPreparedError if nothing is."""

    def labels(self, data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
        """Labels of the training and of the test examples, integers from 0."""

    def inputs(self, split: str, data_dir: str | None) -> Iterator[np.ndarray]:
        """The inputs of "train" or "test" in the order of the labels, in batches."""


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A data set under its name.

    Attributes:
        name: The name that `--datasets` takes.
        description: One line about it.
        paper: The name of the paper's row; None if the paper has none.
        num_classes: Number of classes.
        network: The network of Table 1 that the paper uses for it.
        source: Where it comes from.
        as_in_paper: Whether it is the paper's data set, and no part of it.
        counts: How many training and test examples it has; None if that is not known
            before it is there.
    """

    name: str
    description: str
    paper: str | None
    num_classes: int
    network: str
    source: Source
    as_in_paper: bool = True
    counts: tuple[int, int] | None = None

    def version(self, data_dir: str | None = None) -> str:
        """The version that is there.

        Raises:
            UsageError: If the data set isn't there; it says what to do.
        """
        try:
            return self.source.version(data_dir)
        except NotPreparedError as error:
            where = f" --data_dir {data_dir}" if data_dir else ""
            raise NotPreparedError(
                f"{error}: name the folder where it is with --data_dir, or prepare it "
                "with: python -m keras_asymbp.benchmarks.datasets "
                f"--prepare {self.name}{where}"
            ) from error

    def labels(self, data_dir: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Labels of the training and of the test examples, int64.

        Raises:
            UsageError: If there is a label that is no class's number.
        """
        train, test = self.source.labels(data_dir)
        for labels in (train, test):
            if not 0 <= labels.min() <= labels.max() < self.num_classes:
                raise UsageError(
                    f"{self.name} has labels from {labels.min()} to {labels.max()}: "
                    f"expected {self.num_classes} classes, counted from 0"
                )
        return train.astype(np.int64), test.astype(np.int64)

    def load(self, data_dir: str | None = None) -> Arrays:
        """Reads the data set into memory, its inputs as they are.

        Raises:
            UsageError: If it isn't there.
        """
        y_train, y_test = self.labels(data_dir)
        x_train, x_test = (
            np.concatenate(list(self.source.inputs(split, data_dir)))
            for split in ("train", "test")
        )
        return Arrays(x_train, y_train, x_test, y_test)
