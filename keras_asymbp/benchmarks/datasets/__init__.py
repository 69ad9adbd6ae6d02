"""Data sets under stable names. Importing this imports neither TensorFlow nor TFDS."""

import dataclasses
import pathlib
from typing import Protocol

import numpy as np

from keras_asymbp.benchmarks import protocol as protocols
from keras_asymbp.benchmarks.datasets import embedded, tfds_folder
from keras_asymbp.benchmarks.errors import UsageError, unknown
from keras_asymbp.benchmarks.table1 import ARCHITECTURES


@dataclasses.dataclass(frozen=True)
class Arrays:
    """A data set in memory: images uint8 (n, height, width, channels), labels (n,)."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


class Source(Protocol):
    """Where a data set comes from."""

    def version(self, data_dir: str | None) -> str:
        """What is there, without loading it; UsageError if nothing is."""

    def counts(self, data_dir: str | None) -> tuple[int, int]:
        """How many training and test examples there are, without loading them."""

    def load(self, data_dir: str | None) -> tuple[np.ndarray, ...]:
        """`x_train, y_train, x_test, y_test`."""


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A row of the paper's tables.

    Attributes:
        name: The name that `--datasets` takes.
        description: One line about it.
        paper: The name of the paper's row.
        num_classes: Number of classes.
        architecture: The network of Table 1 that the paper uses for it.
        source: Where it comes from.
        papers_own: Whether it is the paper's data set, and no part of it.
    """

    name: str
    description: str
    paper: str
    num_classes: int
    architecture: str
    source: Source
    papers_own: bool = True

    def version(self, data_dir: str | None = None) -> str:
        """The version that is there; raises UsageError if the data set isn't."""
        return self.source.version(data_dir)

    def counts(self, data_dir: str | None = None) -> tuple[int, int]:
        """How many training and test examples there are."""
        return self.source.counts(data_dir)

    def check(self, protocol: protocols.Protocol, data_dir: str | None = None) -> None:
        """Raises UsageError if the data set can't be used by the protocol."""
        wanted = protocol.train_examples or 0, protocol.test_examples or 0
        for kind, want, have in zip(
            ("train", "test"), wanted, self.counts(data_dir), strict=True
        ):
            if want > have:
                raise UsageError(
                    f"--{kind}_examples {want} is more than the {have} that "
                    f"{self.name} has: give {have} or less, or leave it out"
                )
        own = ARCHITECTURES[self.architecture].input_shape
        rank = len(
            ARCHITECTURES[protocol.architecture or self.architecture].input_shape
        )
        if len(own) != rank:
            fitting = [
                n for n, a in ARCHITECTURES.items() if len(a.input_shape) == len(own)
            ]
            raise UsageError(
                f"the inputs of {self.name} don't fit the network "
                f"'{protocol.architecture}': choose from {', '.join(fitting)}"
            )

    def load(self, data_dir: str | None = None) -> Arrays:
        """Reads the data set into memory; raises UsageError if it isn't there."""
        return Arrays(*self.source.load(data_dir))


DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="mnist_5k",
            description="4,000 + 1,000 images of MNIST, part of this package",
            paper="MNIST",
            num_classes=10,
            architecture="mnist",
            source=embedded.Npz(pathlib.Path(__file__).with_name("mnist_5k.npz")),
            papers_own=False,
        ),
        Dataset(
            name="mnist",
            description="60,000 + 10,000 images of handwritten digits",
            paper="MNIST",
            num_classes=10,
            architecture="mnist",
            source=tfds_folder.TfdsFolder("mnist"),
        ),
        Dataset(
            name="cifar10",
            description="50,000 + 10,000 colour photographs of ten kinds of things",
            paper="CIFAR",
            num_classes=10,
            architecture="cifar",
            source=tfds_folder.TfdsFolder("cifar10"),
        ),
    )
}


def get(name: str) -> Dataset:
    """Returns the data set of that name.

    Raises:
        UsageError: If there is none.
    """
    if name not in DATASETS:
        raise unknown("data set", name, DATASETS)
    return DATASETS[name]
