"""From arrays to batches, in an order that depends on the seed alone."""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_asymbp.benchmarks.datasets import Arrays
from keras_asymbp.benchmarks.datasets.cutting import balanced
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.training import draws
from keras_asymbp.benchmarks.training.draws import Stream

# Evaluation needs no gradients, so its batches can be large.
EVALUATION_BATCH = 500
# Inputs of a split up to this many bytes are kept in memory, others read as needed.
MEMORY_LIMIT = 2**28
# Rows read at once to compute means.
ROWS_AT_ONCE = 100
# Maximum shift of an augmented image, in pixels.
_SHIFT = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """The training or the test examples of a data set.

    Attributes:
        inputs: As stored, uint8 for images: (n, ...), in memory or memory-mapped.
        labels: Class numbers, int32 (n,): JAX has no int64 unless it is asked.
        scale: Factor of the inputs, a number or one for each element.
        mean: Subtracted from the scaled inputs.
        positions: Those of the examples that the split has, int64.
    """

    inputs: np.ndarray
    labels: np.ndarray
    scale: np.ndarray
    mean: np.ndarray
    positions: np.ndarray

    def __len__(self) -> int:
        return len(self.positions)

    def rows(self, at: np.ndarray) -> np.ndarray:
        """Scaled and centred inputs, float32, of the examples with these numbers."""
        rows = np.asarray(self.inputs[self.positions[at]], np.float32)
        rows *= self.scale
        rows -= self.mean
        return rows

    def batch(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and labels of the examples with these numbers."""
        return self.rows(at), self.labels[self.positions[at]]

    def part(self, at: np.ndarray) -> "Split":
        """The split of the examples with these numbers."""
        return dataclasses.replace(self, positions=self.positions[at])


@dataclasses.dataclass(frozen=True)
class Examples:
    """A data set as networks take it.

    Inputs stay as stored; each batch is converted to float32 when it is used.
    `validation`, if any, is held out from the training examples.
    """

    train: Split
    test: Split
    validation: Split | None = None


@dataclasses.dataclass(frozen=True)
class Batches:
    """Batches by number; iterating starts with the first each time.

    Attributes:
        get: Makes the batch of a number: inputs, or a pair of inputs and labels.
        count: How many there are; None if endless.
    """

    get: Callable[[int], Any]
    count: int | None

    def __iter__(self) -> Iterator[Any]:
        numbers = itertools.count() if self.count is None else range(self.count)
        return map(self.get, numbers)

    @property
    def endless(self) -> bool:
        return self.count is None


def prepare(arrays: Arrays, input_scale: float) -> Examples:
    """Scales a data set and subtracts its mean training input.

    Args:
        arrays: The data set, with inputs of the network's shape: uint8 images are
            multiplied by `input_scale`, float vectors are divided by each input's
            standard deviation over the training examples, one-hot symbols stay 0 and 1.
        input_scale: Factor for pixels.
    """
    scale: Any = np.float32(1 if arrays.x_train.dtype == bool else input_scale)
    if arrays.x_train.dtype.kind == "f":
        scale = _inverse_deviation(arrays.x_train)
    mean = _mean(arrays.x_train, lambda rows: rows.astype(np.float32) * scale)

    def split(inputs, labels):
        if inputs.nbytes <= MEMORY_LIMIT:
            inputs = np.array(inputs)
        labels = labels.astype(np.int32)
        everything = np.arange(len(labels))
        return Split(inputs, labels, scale, mean.astype(np.float32), everything)

    return Examples(
        split(arrays.x_train, arrays.y_train), split(arrays.x_test, arrays.y_test)
    )


def hold_out(examples: Examples, share: float) -> Examples:
    """Holds out a share of the training examples for validation.

    These are balanced across classes and the first of each class, for every seed.

    Raises:
        UsageError: If none is left to train on, or none is held out.
    """
    if not share:
        return examples
    labels = examples.train.labels[examples.train.positions]
    count = round(share * len(labels))
    if not 0 < count < len(labels):
        raise UsageError(
            f"--validation_share {share:g} holds out {count} of all {len(labels)} "
            "training examples: choose another share, or train on more examples"
        )
    held = balanced(labels, count)
    kept = np.setdiff1d(np.arange(len(labels)), held)
    return dataclasses.replace(
        examples,
        train=examples.train.part(kept),
        validation=examples.train.part(held),
    )


def _inverse_deviation(inputs):
    """1 / the standard deviation of each input; 1 for a constant input."""
    centre = _mean(inputs)
    deviation = np.sqrt(_mean(inputs, lambda rows: np.square(rows - centre)))
    deviation[deviation == 0] = 1
    return (1 / deviation).astype(np.float32)


def _mean(inputs, function=lambda rows: rows):
    """The mean of a function of the rows, in float64, with few rows in memory."""
    total = np.zeros(inputs.shape[1:])
    for start in range(0, len(inputs), ROWS_AT_ONCE):
        # Row by row, so that the sum does not depend on `ROWS_AT_ONCE`.
        for row in function(inputs[start : start + ROWS_AT_ONCE]):
            total += row
    return total / len(inputs)


@dataclasses.dataclass(frozen=True)
class Epoch:
    """The training batches of an epoch, as numbers: they are drawn on the host.

    Attributes:
        examples: Numbers of the training examples, int64 (batches, batch size).
        changes: How their images are augmented, or None; see `augmented`. Its arrays
            begin with the same two axes.
    """

    examples: np.ndarray
    changes: tuple[np.ndarray, ...] | None


def draw_epoch(
    examples: Examples,
    batch_size: int,
    seed: int,
    epoch: int,
    augmentation: str | None = None,
) -> Epoch:
    """Draws the batches of an epoch, a function of the seed and the epoch alone.

    An incomplete last batch is left out, unless it is the only one.
    """
    batches, count = batches_per_epoch(examples, batch_size), len(examples.train)
    order = draws.order(count, Stream.ORDER, seed, epoch)
    chosen = order[: batches * batch_size].reshape(batches, -1)
    if not augmentation:
        return Epoch(chosen, None)
    shifts = draws.words(2 * chosen.size, Stream.SHIFTS, seed, epoch)
    shifts = (shifts % np.uint64(2 * _SHIFT + 1)).astype(np.int32)
    mirrored = draws.words(chosen.size, Stream.MIRRORED, seed, epoch)
    mirrored = mirrored >> np.uint64(63) == 1
    return Epoch(
        chosen, (shifts.reshape(*chosen.shape, 2), mirrored.reshape(chosen.shape))
    )


def training_batches(
    examples: Examples,
    batch_size: int,
    seed: int,
    first_epoch: int = 0,
    augmentation: str | None = None,
) -> Batches:
    """Endless batches of inputs and labels, from an epoch on; see `draw_epoch`."""
    per_epoch = batches_per_epoch(examples, batch_size)

    @functools.lru_cache(maxsize=2)
    def draw(epoch):
        return draw_epoch(examples, batch_size, seed, epoch, augmentation)

    def get(number):
        epoch = draw(first_epoch + number // per_epoch)
        number %= per_epoch
        inputs, labels = examples.train.batch(epoch.examples[number])
        if epoch.changes:
            inputs = augmented(inputs, *(change[number] for change in epoch.changes))
        return inputs, labels

    return Batches(get, None)


def augmented(images, shifts, mirrored, xp=np):
    """Shifts images by up to 4 pixels each way, and mirrors colour images.

    0, the mean, fills in at the border. Grey images, digits and letters, are not
    mirrored.

    Args:
        images: (n, height, width, channels), float32.
        shifts: Down and right from the upper left, integers in [0, 8] (n, 2).
        mirrored: Which to mirror, bool (n,).
        xp: `numpy`, or `jax.numpy` for its arrays.

    Source: He et al., "Deep Residual Learning for Image Recognition", 2016, 4.2.
    """
    height, width, channels = images.shape[1:]
    border = (_SHIFT, _SHIFT)
    images = xp.pad(images, ((0, 0), border, border, (0, 0)))
    rows = shifts[:, 0, None] + xp.arange(height)
    columns = shifts[:, 1, None] + xp.arange(width)
    if channels > 1:
        columns = xp.where(mirrored[:, None], columns[:, ::-1], columns)
    images = xp.take_along_axis(images, rows[:, :, None, None], axis=1)
    return xp.take_along_axis(images, columns[:, None, :, None], axis=2)


def statistics_batches(
    examples: Examples, batch_size: int, batches: int, seed: int
) -> Batches:
    """The batches of inputs over which the normalization's statistics are taken."""
    parts = _parts(statistics_order(examples, batch_size, batches, seed), batch_size)
    return Batches(lambda number: examples.train.rows(parts[number]), len(parts))


def statistics_order(
    examples: Examples, batch_size: int, batches: int, seed: int
) -> np.ndarray:
    """Numbers of the training examples in `statistics_batches`."""
    order = draws.order(len(examples.train), Stream.STATISTICS, seed, 0)
    return order[: batches * batch_size]


def evaluation_batches(split: Split) -> Batches:
    """Batches of inputs and labels for evaluation, in the split's order."""
    parts = _parts(np.arange(len(split)), EVALUATION_BATCH)
    return Batches(lambda number: split.batch(parts[number]), len(parts))


def _parts(numbers, size):
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]


def batches_per_epoch(examples: Examples, batch_size: int) -> int:
    """Number of updates in an epoch."""
    return max(1, len(examples.train) // batch_size)
