"""Data sets as networks take them, on disk: fitted once, memory-mapped from then on."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from keras_asymbp.benchmarks.datasets.dataset import Arrays, Dataset
from keras_asymbp.benchmarks.errors import UsageError

_ARRAYS = ("x_train", "y_train", "x_test", "y_test")
_DAY = 24 * 60 * 60

# Hands an iterable on and shows how far it is: `rich.progress.track`, say.
Track = Callable[..., Iterable]


def _untracked(sequence, description, total):
    return sequence


def cache_root() -> pathlib.Path:
    """Where prepared inputs are kept: `KERAS_ASYMBP_CACHE`, or in Keras's folder."""
    keras_home = os.environ.get("KERAS_HOME") or "~/.keras"
    default = pathlib.Path(keras_home, "keras_asymbp")
    return pathlib.Path(os.environ.get("KERAS_ASYMBP_CACHE") or default).expanduser()


def cache_folder(
    dataset: Dataset, input_shape: tuple[int, ...], data_dir: str | None = None
) -> pathlib.Path:
    """The folder of a data set fitted to inputs of a shape, whether it's there or not.

    Its name tells the data set, its version and the shape, and ends in a digest of
    them: a name or a version can have what a file's name can't.
    """
    size = "x".join(map(str, input_shape))
    key = f"{dataset.name}-{dataset.version(data_dir)}-{size}"
    digest = hashlib.sha256(key.encode()).hexdigest()[:8]
    readable = re.sub(r"[^\w.+-]+", "_", key)[:100]
    return cache_root() / f"{readable}-{digest}"


def load(
    dataset: Dataset,
    input_shape: tuple[int, ...],
    data_dir: str | None = None,
    track: Track = _untracked,
) -> Arrays:
    """A data set with inputs of a network's shape, prepared if it isn't yet.

    What is in memory anyway and fits is given as it is; all else is memory-mapped from
    the cache.

    Args:
        dataset: The data set.
        input_shape: Shape of one input of the network.
        data_dir: Folder of the data sets that TFDS has prepared.
        track: Shows how far the preparation is.

    Raises:
        UsageError: If the data set isn't there or can't be used, or the cache can't be
            written or is broken.
    """
    if dataset.source.held:
        arrays = dataset.load(data_dir)
        if arrays.x_train.shape[1:] == input_shape:
            return arrays
    folder = cache_folder(dataset, input_shape, data_dir)
    try:
        if not folder.exists():
            _prepare(dataset, input_shape, data_dir, track, folder)
    except OSError as error:
        raise UsageError(
            f"can't keep {dataset.name} in {folder.parent} ({error.strerror}): make "
            "room there, or name another folder in KERAS_ASYMBP_CACHE"
        ) from error
    try:
        return Arrays(
            *(np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS)
        )
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{folder} is broken ({error}): delete it, and it is made anew"
        ) from error


def _prepare(dataset, input_shape, data_dir, track, folder):
    """Makes the folder: whole, or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_remains(folder.parent)
    with tempfile.TemporaryDirectory(
        prefix=".incomplete-", dir=folder.parent, ignore_cleanup_errors=True
    ) as temporary:
        work = pathlib.Path(temporary, folder.name)
        work.mkdir()
        labels = dict(zip(("train", "test"), dataset.labels(data_dir), strict=True))
        for split, numbers in labels.items():
            np.save(work / f"y_{split}.npy", numbers)
            batches = dataset.source.inputs(split, data_dir)
            inputs = (row for batch in batches for row in _fitted(batch, input_shape))
            description = f"preparing {dataset.name}, {split}"
            tracked = track(inputs, description=description, total=len(numbers))
            _write(work / f"x_{split}.npy", tracked, len(numbers), input_shape)
        about = {
            "dataset": dataset.name,
            "version": dataset.version(data_dir),
            "input_shape": input_shape,
        }
        (work / "about.json").write_text(json.dumps(about, indent=1) + "\n")
        # Another process may have been faster: its folder is as good.
        with contextlib.suppress(FileExistsError):
            _publish(work, folder)


def _fitted(batch, input_shape) -> np.ndarray:
    if batch.shape[1:] == input_shape:
        return batch
    if batch.ndim != 4 or len(input_shape) != 3:
        raise UsageError(
            f"inputs of shape {batch.shape[1:]} don't fit a network of inputs "
            f"{input_shape}: choose another with --architecture"
        )
    from keras_asymbp.benchmarks.datasets.fitting import fit_images

    return fit_images(batch, input_shape)


def _write(path: pathlib.Path, rows: Iterable, count: int, shape: tuple[int, ...]):
    """Writes rows one by one: in memory there is one batch at most."""
    rows = iter(rows)
    first = next(rows)
    header = {
        "descr": first.dtype.str,
        "fortran_order": False,
        "shape": (count, *shape),
    }
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        written = 0
        for row in _chain(first, rows):
            file.write(np.ascontiguousarray(row).tobytes())
            written += 1
        file.flush()
        os.fsync(file.fileno())
    if written != count:
        raise UsageError(
            f"{written} inputs and {count} labels: the data set isn't whole; prepare "
            "it anew"
        )


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


def _remove_remains(root: pathlib.Path) -> None:
    """Removes what killed preparations left; a day old, it is nobody's any more."""
    for path in root.glob(".incomplete-*"):
        if time.time() - path.stat().st_mtime > _DAY:
            shutil.rmtree(path, ignore_errors=True)
