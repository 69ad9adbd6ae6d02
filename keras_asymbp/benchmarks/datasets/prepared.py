"""A cache of data sets fitted to networks: written once, memory-mapped thereafter."""

import contextlib
import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from keras_asymbp.benchmarks.datasets import foreign, npy
from keras_asymbp.benchmarks.datasets.cache import cache_root
from keras_asymbp.benchmarks.datasets.checking import is_finite
from keras_asymbp.benchmarks.datasets.cutting import balanced
from keras_asymbp.benchmarks.datasets.dataset import SPLITS, Arrays, Dataset
from keras_asymbp.benchmarks.datasets.fitting import FITTING, fit_images
from keras_asymbp.benchmarks.errors import UsageError

_ARRAYS = ("x_train", "y_train", "x_test", "y_test")
_REBUILD = "delete its folder in the cache, and it will be rebuilt"
_DAY = 24 * 60 * 60

# Passes an iterable through and shows its progress, as `rich.progress.track` does.
Track = Callable[..., Iterable]


def _untracked(sequence, description, total):
    return sequence


@dataclasses.dataclass(frozen=True)
class Fit:
    """A data set, or a part of it, in the input shape of a network.

    The cache has a folder for each.

    Attributes:
        dataset: The data set.
        input_shape: Shape of one input of the network.
        train_examples: Number of training examples, balanced across classes; None for
            all.
        test_examples: Number of test examples, likewise.
        data_dir: Folder of data sets prepared by TFDS.
    """

    dataset: Dataset
    input_shape: tuple[int, ...]
    train_examples: int | None = None
    test_examples: int | None = None
    data_dir: str | None = None

    def folder(self) -> pathlib.Path:
        """Its folder in the cache, which need not exist.

        The folder is named after the data set, the identity of its content, the shape,
        the counts and the way of fitting, and ends in a digest of them, as names can
        have characters that file names can't.
        """
        parts = [self.dataset.name, self.dataset.version(self.data_dir)]
        parts += ["x".join(map(str, self.input_shape))]
        if self.train_examples or self.test_examples:
            parts += [f"{self.train_examples or 'all'}+{self.test_examples or 'all'}"]
        key = "-".join([*parts, FITTING])
        encoded = key.encode(errors="surrogatepass")
        digest = hashlib.sha256(encoded).hexdigest()[:16]
        readable = re.sub(r"[^\w.+-]+", "_", key, flags=re.ASCII)[:100]
        return cache_root() / f"{readable}-{digest}"

    def positions(self, split: str, labels: np.ndarray) -> np.ndarray:
        """The positions of the split's examples that are used, in rising order."""
        try:
            return balanced(labels, getattr(self, f"{split}_examples"))
        except UsageError as error:
            raise UsageError(
                f"{split}_examples of {self.dataset.name}: {error}"
            ) from error


def load(fit: Fit, track: Track = _untracked) -> Arrays:
    """Loads a data set in the input shape of a network, fitting it first if need be.

    Data that is read into memory and has the shape already is returned as it is;
    all other is memory-mapped from the cache.

    Args:
        fit: The data set and the shape.
        track: Shows the progress of the fitting.

    Raises:
        UsageError: If the data set isn't prepared or can't be used, or the cache can't
            be written or is damaged.
    """
    dataset = fit.dataset
    if dataset.source.in_memory:
        whole = dataset.load(fit.data_dir)
        if whole.x_train.shape[1:] == fit.input_shape:
            train = fit.positions("train", whole.y_train)
            test = fit.positions("test", whole.y_test)
            return Arrays(
                *(whole.x_train[train], whole.y_train[train]),
                *(whole.x_test[test], whole.y_test[test]),
            )
    folder = fit.folder()
    try:
        if not folder.exists():
            _prepare(fit, track, folder)
    except OSError as error:
        raise UsageError(
            f"can't write {dataset.name} to {folder.parent} ({error.strerror}): free "
            "space there, or set KERAS_ASYMBP_CACHE to another folder"
        ) from error
    return _checked(folder, fit)


def damaged(root: pathlib.Path) -> Iterator[UsageError]:
    """Yields an error for each folder of a cache that `load` can't use."""
    for folder in sorted(root.glob("[!.]*/")):
        try:
            _checked(folder)
        except UsageError as error:
            yield error


def _checked(folder, fit: Fit | None = None) -> Arrays:
    with foreign.guarded(folder, _REBUILD):
        arrays = Arrays(*(npy.map_npy(folder / f"{n}.npy", _REBUILD) for n in _ARRAYS))
        if problem := _problem(arrays, fit):
            raise foreign.unreadable(folder, problem, _REBUILD)
    return arrays


def _problem(arrays: Arrays, fit: Fit | None = None) -> str | None:
    """Why arrays of the cache can't be used, or aren't those of a fit; None if not."""
    pairs = (arrays.x_train, arrays.y_train), (arrays.x_test, arrays.y_test)
    for inputs, labels in pairs:
        if labels.dtype != np.int64 or labels.ndim != 1 or not labels.size:
            return f"its labels are {labels.dtype} of shape {labels.shape}"
        if inputs.shape[:1] != labels.shape:
            return "the numbers of inputs and labels differ"
        if labels.min() < 0 or (fit and labels.max() >= fit.dataset.num_classes):
            return f"it has labels from {labels.min()} to {labels.max()}"
        is_float = inputs.dtype.kind == "f"
        if not (is_float and is_finite(inputs)) and inputs.dtype != np.uint8:
            return "its inputs are neither uint8 nor finite numbers"
        expected = fit.input_shape if fit else arrays.x_train.shape[1:]
        if inputs.shape[1:] != expected:
            return f"it has inputs of shape {inputs.shape[1:]}"
    return None


def _prepare(fit, track, folder):
    """Creates the folder complete, or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder.parent)
    with tempfile.TemporaryDirectory(
        prefix=".incomplete-", dir=folder.parent, ignore_cleanup_errors=True
    ) as temporary:
        work = pathlib.Path(temporary, folder.name)
        work.mkdir()
        labels_of = dict(zip(SPLITS, fit.dataset.labels(fit.data_dir), strict=True))
        counts = [len(labels) for labels in labels_of.values()]
        for split, batches in fit.dataset.inputs(counts, fit.data_dir):
            positions = fit.positions(split, labels_of[split])
            np.save(work / f"y_{split}.npy", labels_of[split][positions])
            rows = track(
                _fitted_rows(batches, positions, fit.input_shape),
                description=f"preparing {fit.dataset.name}, {split}",
                total=len(positions),
            )
            _write(work / f"x_{split}.npy", rows, len(positions), fit.input_shape)
        if fit.folder() != folder:
            raise UsageError(
                f"{fit.dataset.name} has changed while it was read: run the command "
                "again"
            )
        # Another process may have finished first: its folder is equal.
        with contextlib.suppress(FileExistsError):
            _publish(work, folder)


def _fitted_rows(batches, positions, input_shape) -> Iterator[np.ndarray]:
    """Yields the fitted inputs at rising positions, one by one."""
    start = 0
    for batch in batches:
        end = start + len(batch)
        selected = positions[(positions >= start) & (positions < end)] - start
        if len(selected):
            yield from _fitted(batch[selected], input_shape)
        start = end


def _fitted(batch, input_shape) -> np.ndarray:
    if batch.shape[1:] == input_shape:
        return batch
    if batch.ndim != 4 or len(input_shape) != 3:
        raise UsageError(
            f"inputs of shape {batch.shape[1:]} don't fit a network of inputs "
            f"{input_shape}: choose another network"
        )
    return fit_images(batch, input_shape)


def _write(path: pathlib.Path, rows: Iterable, count: int, shape: tuple[int, ...]):
    """Writes rows one by one, so that memory holds one batch at most."""
    rows = iter(rows)
    first = next(rows)
    header = {
        "descr": first.dtype.str,
        "fortran_order": False,
        "shape": (count, *shape),
    }
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for row in _chain(first, rows):
            file.write(np.ascontiguousarray(row).tobytes())
        file.flush()
        os.fsync(file.fileno())


def _chain(first, rest) -> Iterator:
    yield first
    yield from rest


def _publish(work: pathlib.Path, folder: pathlib.Path) -> None:
    try:
        work.rename(folder)
    except OSError:
        if not folder.exists():
            raise
        raise FileExistsError(folder) from None


def _remove_leftovers(root: pathlib.Path) -> None:
    """Removes the folders of killed processes, once they are a day old."""
    for path in root.glob(".incomplete-*"):
        if time.time() - path.stat().st_mtime > _DAY:
            shutil.rmtree(path, ignore_errors=True)
