"""The types of data sets: their description, their source, their arrays."""

import dataclasses
import typing
from collections.abc import Iterator, Sequence

import numpy as np

from keras_asymbp.benchmarks.datasets import checking
from keras_asymbp.benchmarks.errors import NotPreparedError, not_prepared

SPLITS = "train", "test"


@dataclasses.dataclass(frozen=True)
class Arrays:
    """A data set's inputs and labels, in memory or memory-mapped.

    Inputs are uint8 images (n, height, width, channels), float vectors (n, size) or
    one-hot symbols, bool (n, positions, symbols). Labels are integers (n,).
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
        """The identity of the data: two that differ in anything have two.

        It names the results and the cache, see `datasets.identity`.

        Raises:
            NotPreparedError: If the data is not prepared.
        """

    def labels(self, data_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
        """Labels of the training and the test examples, integers from 0.

        Neither they nor the inputs need be checked: `Dataset` checks those of every
        source.
        """

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
        network: The network that is trained on it, unless another is chosen.
        source: Where it comes from.
        as_in_paper: Whether it is the paper's data set as a whole, neither a part of it
            nor another.
        counts: Numbers of training and test examples, which the data must have; None
            if unknown until it is prepared.
        largest_class: The share of the test examples in their largest class; None if
            unknown, as of the package's data sets, whose figures are the paper's.
        path: The user's file or folder that it was found at, as typed; None for all
            others. The same data at another path is the same data set.
    """

    name: str
    description: str
    paper: str | None
    num_classes: int
    network: str
    source: Source
    as_in_paper: bool = True
    counts: tuple[int, int] | None = None
    largest_class: float | None = None
    path: str | None = dataclasses.field(default=None, compare=False)

    @property
    def argument(self) -> str:
        """By what a user names it on a command line: its path, or its name."""
        return self.path or self.name

    def version(self, data_dir: str | None = None) -> str:
        """The identity of its content.

        Raises:
            UsageError: If it isn't prepared, with the remedies, or can't be read.
        """
        try:
            return self.source.version(data_dir)
        except NotPreparedError as error:
            raise not_prepared(str(error), self.name, data_dir) from error

    def labels(self, data_dir: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Checked labels of the training and the test examples, int64.

        Raises:
            UsageError: If they are no labels of `num_classes` classes, or their numbers
                are not those in `counts`.
        """
        train, test = (
            checking.class_numbers(self.name, split, np.asarray(labels))
            for split, labels in zip(SPLITS, self.source.labels(data_dir), strict=True)
        )
        checking.check_counts(self.name, self.counts, (len(train), len(test)))
        checking.check_classes(self.name, self.num_classes, train, test)
        return train, test

    def inputs(
        self, counts: Sequence[int], data_dir: str | None = None
    ) -> Iterator[tuple[str, Iterator[np.ndarray]]]:
        """Yields each split and its checked inputs in batches, in the labels' order.

        Args:
            counts: Numbers of training and of test labels.
            data_dir: Folder of data sets prepared by TFDS.

        Raises:
            UsageError: While they are read, if they can't be used.
        """
        checks = checking.InputChecks(self.name, one_size=self.source.in_memory)
        for split, count in zip(SPLITS, counts, strict=True):
            yield split, checks(split, self.source.inputs(split, data_dir), count)

    def load(self, data_dir: str | None = None) -> Arrays:
        """Reads the data set into memory, its inputs unchanged.

        Raises:
            UsageError: If it isn't prepared, or can't be read or used.
        """
        y_train, y_test = self.labels(data_dir)
        x_train, x_test = (
            np.concatenate(list(batches))
            for _, batches in self.inputs((len(y_train), len(y_test)), data_dir)
        )
        return Arrays(x_train, y_train, x_test, y_test)
