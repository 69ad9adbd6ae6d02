"""From arrays to batches, in an order that depends on the seed alone."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_asymbp.benchmarks.datasets import Arrays
from keras_asymbp.benchmarks.datasets.cutting import balanced

# Evaluation needs no gradients, so its batches can be large.
EVALUATION_BATCH = 500
# Inputs of a split up to this many bytes are kept in memory, others read as needed.
MEMORY_LIMIT = 2**28
# Rows read at once to compute means.
ROWS_AT_ONCE = 100
# Maximum shift of an augmented image, in pixels.
_SHIFT = 4


@dataclasses.dataclass(frozen=True)
class Split:
    """The training or the test examples of a data set.

    Attributes:
        rows: Maps int64 positions (n,) to float32 inputs (n, ...), scaled and centred
            by the mean training input.
        labels: Class numbers, int64.
    """

    rows: Callable[[tf.Tensor], tf.Tensor]
    labels: tf.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, positions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Inputs and labels at the given positions."""
        return self.rows(positions), tf.gather(self.labels, positions)


@dataclasses.dataclass(frozen=True)
class Examples:
    """A data set as networks take it.

    Inputs stay as stored, uint8 for images; each batch is converted to float32 when it
    is used. `validation`, if any, is held out from the training examples.
    """

    train: Split
    test: Split
    validation: Split | None = None


def prepare(arrays: Arrays, input_scale: float) -> Examples:
    """Scales a data set and subtracts its mean training input.

    Args:
        arrays: The data set, with inputs of the network's shape: uint8 images are
            multiplied by `input_scale`, float vectors are divided by each input's
            standard deviation over the training examples.
        input_scale: Factor for pixels.
    """
    scale: np.float32 | np.ndarray = np.float32(input_scale)
    if arrays.x_train.dtype != np.uint8:
        scale = _inverse_deviation(arrays.x_train)
    mean = _mean(arrays.x_train, lambda rows: rows.astype(np.float32) * scale)
    mean = mean.astype(np.float32)

    def split(inputs, labels):
        read = _row_reader(inputs)
        return Split(
            lambda positions: tf.cast(read(positions), tf.float32) * scale - mean,
            tf.constant(labels.astype(np.int64)),
        )

    return Examples(
        split(arrays.x_train, arrays.y_train), split(arrays.x_test, arrays.y_test)
    )


def hold_out(examples: Examples, share: float) -> Examples:
    """Holds out a share of the training examples for validation.

    These are balanced across classes and the first of each class, for every seed.
    """
    if not share:
        return examples
    labels = examples.train.labels.numpy()
    held = balanced(labels, round(share * len(labels)))
    kept = np.setdiff1d(np.arange(len(labels)), held)
    return dataclasses.replace(
        examples,
        train=_part(examples.train, kept),
        validation=_part(examples.train, held),
    )


def _part(split, positions):
    positions = tf.constant(positions, tf.int64)
    return Split(
        lambda at: split.rows(tf.gather(positions, at)),
        tf.gather(split.labels, positions),
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


def _row_reader(inputs):
    """A function from positions to these rows of the inputs, as a tensor."""
    if inputs.nbytes <= MEMORY_LIMIT:
        tensor = tf.constant(np.asarray(inputs))
        return lambda positions: tf.gather(tensor, positions)

    def read(positions):
        rows = tf.numpy_function(lambda at: inputs[at], [positions], inputs.dtype)
        return tf.ensure_shape(rows, (None, *inputs.shape[1:]))

    return read


def training_batches(
    examples: Examples,
    batch_size: int,
    seed: int,
    first_epoch: int = 0,
    augmentation: str | None = None,
) -> tf.data.Dataset:
    """Endless batches of (inputs, labels), in a new order every epoch.

    An epoch's order depends on the seed and the epoch alone. An incomplete last batch
    is left out, unless it is the only one. Augmentation depends on the seed and the
    number of the batch alone.
    """
    per_epoch = batches_per_epoch(examples, batch_size)

    def load(number, positions):
        inputs, labels = examples.train.batch(positions)
        if augmentation:
            inputs = augmented(inputs, tf.stack([tf.cast(seed, tf.int64), number]))
        return inputs, labels

    def one_epoch(epoch):
        order = _order(examples, seed, epoch)[: per_epoch * batch_size]
        return tf.data.Dataset.from_tensor_slices(tf.reshape(order, (per_epoch, -1)))

    return (
        tf.data.Dataset.counter(first_epoch)
        .flat_map(one_epoch)
        .enumerate(first_epoch * per_epoch)
        .map(load)
        .prefetch(2)
        .with_options(_options())
    )


def augmented(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Shifts images by up to 4 pixels each way; mirrors colour images at random.

    Shifts are uniform, and 0, the mean, fills in at the border. Grey images, digits and
    letters, are not mirrored.

    Args:
        images: (n, height, width, channels), float32.
        seed: Two integers.

    Source: He et al., "Deep Residual Learning for Image Recognition", 2016, 4.2.
    """
    count = tf.shape(images)[0]
    height, width, channels = images.shape[1:]
    shifts = tf.random.stateless_uniform(
        (2, count), seed, 0, 2 * _SHIFT + 1, dtype=tf.int32, alg="philox"
    )
    border = (_SHIFT, _SHIFT)
    images = tf.pad(images, ((0, 0), border, border, (0, 0)))
    for axis, size in ((1, height), (2, width)):
        pixels = shifts[axis - 1, :, tf.newaxis] + tf.range(size)
        images = tf.gather(images, pixels, axis=axis, batch_dims=1)
    if channels == 1:
        return images
    # A seed that no batch's shifts have.
    mirrored = tf.random.stateless_uniform(
        (count, 1, 1, 1), [seed[0], -1 - seed[1]], 0, 2, dtype=tf.int32, alg="philox"
    )
    return tf.where(mirrored == 1, images[:, :, ::-1], images)


def statistics_batches(
    examples: Examples, batch_size: int, batches: int, seed: int
) -> tf.data.Dataset:
    """The batches of inputs over which the normalization's statistics are taken."""
    # No epoch has the number -1, so training uses another order.
    order = _order(examples, seed, -1)[: batches * batch_size]
    return (
        tf.data.Dataset.from_tensor_slices(order)
        .batch(batch_size)
        .map(examples.train.rows)
        .with_options(_options())
    )


def evaluation_batches(split: Split) -> tf.data.Dataset:
    """Batches of (inputs, labels) for evaluation, in the split's order."""
    return (
        tf.data.Dataset.range(len(split))
        .batch(EVALUATION_BATCH)
        .map(split.batch)
        .with_options(_options())
    )


def batches_per_epoch(examples: Examples, batch_size: int) -> int:
    """Number of updates in an epoch."""
    return max(1, len(examples.train) // batch_size)


def _options():
    """No autotuning: its thread takes a core, and up to 9 s a run to stop."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return options


def _order(examples, seed, epoch):
    return tf.random.experimental.stateless_shuffle(
        tf.range(len(examples.train)), seed=[seed, epoch], alg="philox"
    )
