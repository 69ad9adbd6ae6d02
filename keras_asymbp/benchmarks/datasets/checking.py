"""The checks that labels and inputs of every source pass before anything is trained."""

from collections.abc import Iterable, Iterator

import numpy as np

from keras_asymbp.benchmarks.counting import counted
from keras_asymbp.benchmarks.errors import UsageError

_WORDS = {"train": "training", "test": "test"}
# Channels of grey and of colour images.
_CHANNELS = 1, 3
_FLOATS = tuple(order + size for order in "<>" for size in ("f2", "f4", "f8"))
# At most so many classes are listed in a message.
_LISTED = 5


def class_numbers(name: str, split: str, labels: np.ndarray) -> np.ndarray:
    """The labels of a split as class numbers, int64 (n,).

    Labels of shape (n, 1), as those of `keras.datasets.cifar10`, are taken, too.

    Args:
        name: The data set, for messages.
        split: "train" or "test".
        labels: As the source gives them.

    Raises:
        UsageError: If they are no class numbers, or there are none.
    """
    of = f"{_WORDS[split]} labels of {name}"
    if not labels.size:
        raise UsageError(f"the {of} are missing: expected one or more")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if _is_one_hot(labels):
        raise UsageError(
            f"the {of} are one-hot, {labels.dtype} of shape {labels.shape}: expected "
            "class numbers of shape (n,); convert them with labels.argmax(axis=1)"
        )
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise UsageError(
            f"the {of} are {labels.dtype} of shape {labels.shape}: expected class "
            "numbers, integers of shape (n,)"
        )
    if not 0 <= labels.min() <= labels.max() < 2**31:
        raise UsageError(
            f"the {of} go from {labels.min()} to {labels.max()}: expected class "
            "numbers, counted from 0"
        )
    return labels.astype(np.int64)


def _is_one_hot(labels):
    if labels.ndim != 2 or labels.dtype.kind not in "biuf":
        return False
    ones, zeros = ((labels == value).sum(axis=1) for value in (1, 0))
    return bool((ones == 1).all() and (zeros == labels.shape[1] - 1).all())


def check_classes(
    name: str, num_classes: int, train: np.ndarray, test: np.ndarray
) -> None:
    """Checks class numbers against the number of classes and against each other.

    Raises:
        UsageError: If there are training examples of fewer than two classes, test
            examples of a class without training examples, labels beyond the number of
            classes, or as many classes as training examples or more.
    """
    learned = np.unique(train)
    if len(learned) < 2:
        raise UsageError(
            f"all training labels of {name} are {learned[0]}: expected examples of two "
            "classes or more"
        )
    unknown = np.setdiff1d(test, learned)
    if len(unknown):
        more = ", ..." if len(unknown) > _LISTED else ""
        raise UsageError(
            f"{name} has test examples of "
            f"{counted(len(unknown), 'class', 'classes')} without training examples "
            f"({', '.join(map(str, unknown[:_LISTED]))}{more}): add training "
            "examples, or remove these test examples"
        )
    if train.max() >= num_classes:
        raise UsageError(
            f"{name} has labels from {train.min()} to {train.max()}: expected "
            f"{num_classes} classes, counted from 0 without gaps; number both splits "
            "by numpy.searchsorted(numpy.unique(y_train), labels)"
        )
    if num_classes >= len(train):
        raise UsageError(
            f"{name} has {num_classes:,} classes and {len(train):,} training examples: "
            "expected fewer classes than examples; give the number of a class as "
            "label, not that of an example"
        )


def check_counts(
    name: str, declared: tuple[int, int] | None, found: tuple[int, int]
) -> None:
    """Compares numbers of training and test examples with the declared ones.

    Args:
        name: The data set, for messages.
        declared: Those of the catalog; None if it has none.
        found: Those of the data.

    Raises:
        UsageError: If they differ.
    """
    if declared and tuple(declared) != tuple(found):
        have, want = (" + ".join(f"{n:,}" for n in pair) for pair in (found, declared))
        raise UsageError(
            f"{name} has {have} training and test examples: expected {want}; prepare "
            "the complete data set, or train on your part of it as a data set of your "
            "own, an .npz file or a folder of class folders"
        )


class InputChecks:
    """Checks the inputs of both splits as they are read.

    Args:
        name: The data set, for messages.
        one_size: Whether all images have one size.
    """

    def __init__(self, name: str, one_size: bool):
        self._name = name
        self._one_size = one_size
        self._shape: tuple[int | str, ...] | None = None

    def __call__(
        self, split: str, batches: Iterable[np.ndarray], count: int
    ) -> Iterator[np.ndarray]:
        """Yields the batches of a split, in the byte order of the machine.

        Args:
            split: "train" or "test".
            batches: uint8 images (n, height, width, channels) of 1 or 3 channels, float
                vectors (n, size), or one-hot symbols, bool (n, positions, symbols).
            count: Number of labels.

        Raises:
            UsageError: If a batch is none of these, or has another shape than those
                before it in either split, or a value that is not finite in float32; at
                the end, if the numbers of inputs and labels differ.
        """
        which, found = f"{_WORDS[split]} inputs of {self._name}", 0
        for batch in batches:
            self._check(which, batch)
            yield batch.astype(batch.dtype.newbyteorder("="), copy=False)
            found += len(batch)
        if found != count:
            raise UsageError(
                f"{self._name} has {found:,} {_WORDS[split]} inputs and {count:,} "
                "labels: expected one label for each input; prepare or write it again"
            )

    def _check(self, which, batch):
        images = batch.dtype == np.uint8 and batch.ndim == 4
        vectors = batch.dtype in _FLOATS and batch.ndim == 2
        symbols = batch.dtype == bool and batch.ndim == 3
        is_known = (images and batch.shape[3] in _CHANNELS) or vectors or symbols
        if not is_known or 0 in batch.shape[1:]:
            raise UsageError(
                f"the {which} are {batch.dtype} of shape {batch.shape}: expected uint8 "
                "images (n, height, width) or (n, height, width, 1 or 3 channels), or "
                "vectors (n, size) of float16, float32 or float64"
            )
        if vectors and not is_finite(batch):
            raise UsageError(
                f"the {which} are not finite in float32: expected neither NaN nor "
                "infinity, nor numbers beyond 3.4e38"
            )
        shape = batch.shape[1:]
        if images and not self._one_size:
            shape = ("height", "width", *shape[2:])
        if shape != (self._shape or shape):
            first, second = (" x ".join(map(str, s)) for s in (self._shape, shape))
            raise UsageError(
                f"the {which} are {second}, those before them {first}: expected one "
                "shape for all training and test inputs"
            )
        self._shape = shape


def is_finite(inputs: np.ndarray) -> bool:
    """Whether all numbers stay finite when they are converted to float32."""
    with np.errstate(over="ignore"):
        return bool(np.isfinite(inputs.astype(np.float32, copy=False)).all())
