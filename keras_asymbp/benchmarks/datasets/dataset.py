"""The types of data sets: their description, their source, their arrays."""

import dataclasses
import typing
from collections.abc import Iterator

import numpy as np

from keras_asymbp.benchmarks.errors import NotPreparedError, UsageError, not_prepared


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
        """Whether it is read into memory as a whole: a copy on disk saves nothing."""

    def version(self, data_dir: str | None) -> str:
        """The prepared version, found without loading the data.

        Raises:
            NotPreparedError: If no version is prepared.
        """

    def labels(self, data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
        """Labels of the training and the test examples, integers from 0."""

    def inputs(self, split: str, data_dir: str | None) -> Iterator[np.ndarray]:
        """Yields the inputs of "train" or "test" in batches, in the labels' order."""


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A data set: a row of the paper's tables, a peer's, or the user's own.

    Attributes:
        name: Its name, unique in a run.
        description: One line about it.
        paper: The paper's row that its figures are compared with; None if the paper has
            none.
        num_classes: Number of classes.
        network: The network of Table 1 that is trained on it, unless another is chosen.
        source: Where it comes from.
        as_in_paper: Whether it is the paper's data set as a whole, neither a part of it
            nor another.
        counts: Numbers of training and test examples; None if unknown until it is
            prepared.
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
        """The prepared version.

        Raises:
            UsageError: If none is, with the remedies, or it can't be read.
        """
        try:
            return self.source.version(data_dir)
        except NotPreparedError as error:
            raise not_prepared(str(error), self.name, data_dir) from error

    def labels(self, data_dir: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Labels of the training and the test examples, int64.

        Raises:
            UsageError: If a label is out of range.
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
        """Reads the data set into memory, its inputs unchanged.

        Raises:
            UsageError: If it isn't prepared or can't be read.
        """
        y_train, y_test = self.labels(data_dir)
        x_train, x_test = (
            np.concatenate(list(self.source.inputs(split, data_dir)))
            for split in ("train", "test")
        )
        return Arrays(x_train, y_train, x_test, y_test)
