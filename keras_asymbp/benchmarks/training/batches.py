"""From arrays to batches: the same order for every model that shares a seed."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_asymbp.benchmarks.datasets import Arrays
from keras_asymbp.benchmarks.datasets.cutting import balanced

# Evaluation needs no gradients, so its batches can be large.
EVALUATION_BATCH = 500
# Inputs of a split up to this size are held in memory, others are read as needed.
_HELD_BYTES = 2**28
# Pixels that an augmented image is moved by, at the most.
_SHIFT = 4
# Rows that the statistics are taken over at once.
_ROWS = 100


@dataclasses.dataclass(frozen=True)
class Split:
    """The training or the test examples of a data set.

    Attributes:
        rows: Takes int64 positions (n,) to float32 inputs (n, ...): scaled, minus the
            mean training input.
        labels: int64.
    """

    rows: Callable[[tf.Tensor], tf.Tensor]
    labels: tf.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, positions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Inputs and labels at some positions."""
        return self.rows(positions), tf.gather(self.labels, positions)


@dataclasses.dataclass(frozen=True)
class Examples:
    """A data set as the networks take it.

    Inputs stay as they are stored, uint8 for images; they become float32 a batch at a
    time. `validation`, if any, is held out of the training examples.
    """

    train: Split
    test: Split
    validation: Split | None = None


def prepare(arrays: Arrays, input_scale: float) -> Examples:
    """Scales a data set and subtracts its mean.

    Args:
        arrays: The data set, with inputs as the network takes them: uint8 images are
            multiplied by `input_scale`, float vectors are divided by each input's
            standard deviation over the training examples.
        input_scale: What pixels are multiplied by.
    """
    scale: np.float32 | np.ndarray = np.float32(input_scale)
    if arrays.x_train.dtype != np.uint8:
        scale = _inverse_deviation(arrays.x_train)
    mean = _mean(arrays.x_train, lambda rows: rows.astype(np.float32) * scale)
    mean = mean.astype(np.float32)

    def split(inputs, labels):
        take = _taker(inputs)
        return Split(
            lambda positions: tf.cast(take(positions), tf.float32) * scale - mean,
            tf.constant(labels.astype(np.int64)),
        )

    return Examples(
        split(arrays.x_train, arrays.y_train), split(arrays.x_test, arrays.y_test)
    )


def hold_out(examples: Examples, share: float) -> Examples:
    """Holds out a share of the training examples, of every class as many.

    The first ones of each class are: the same for every seed.
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
    """1 / the standard deviation of each input; 1 for an input that is constant."""
    centre = _mean(inputs)
    deviation = np.sqrt(_mean(inputs, lambda rows: np.square(rows - centre)))
    deviation[deviation == 0] = 1
    return (1 / deviation).astype(np.float32)


def _mean(inputs, function=lambda rows: rows):
    """The mean of a function of the rows, in float64; few are in memory at once."""
    total = np.zeros(inputs.shape[1:])
    for start in range(0, len(inputs), _ROWS):
        # One row after the other, so that a sum is the same however it is cut.
        for row in function(inputs[start : start + _ROWS]):
            total += row
    return total / len(inputs)


def _taker(inputs):
    """What takes the rows at some positions, as a tensor."""
    if inputs.nbytes <= _HELD_BYTES:
        held = tf.constant(np.asarray(inputs))
        return lambda positions: tf.gather(held, positions)

    def take(positions):
        rows = tf.numpy_function(lambda at: inputs[at], [positions], inputs.dtype)
        return tf.ensure_shape(rows, (None, *inputs.shape[1:]))

    return take


def training_batches(
    examples: Examples,
    batch_size: int,
    seed: int,
    first_epoch: int = 0,
    augmentation: str | None = None,
) -> tf.data.Dataset:
    """Batches of (inputs, labels) without end, in a new order every epoch.

    An epoch's order depends on the seed and the epoch alone. The examples that fill
    no whole batch are left out of that epoch, unless there are no more. With
    augmentation the images are changed, in a way that depends on the seed and the
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
        .with_options(_plain())
    )


def augmented(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Moves images by up to 4 pixels each way, and mirrors them if they have colours.

    What is moved in from outside is 0, the mean; each direction, and each side, is as
    likely as another. Digits and letters, which are grey, can't be mirrored.

    Args:
        images: (n, height, width, channels), float32.
        seed: Two integers.

    Source: He et al., "Deep Residual Learning for Image Recognition", 2016, 4.2.
    """
    count = tf.shape(images)[0]
    height, width, channels = images.shape[1:]
    moves = tf.random.stateless_uniform(
        (2, count), seed, 0, 2 * _SHIFT + 1, dtype=tf.int32, alg="philox"
    )
    around = (_SHIFT, _SHIFT)
    images = tf.pad(images, ((0, 0), around, around, (0, 0)))
    for axis, size in ((1, height), (2, width)):
        at = moves[axis - 1, :, tf.newaxis] + tf.range(size)
        images = tf.gather(images, at, axis=axis, batch_dims=1)
    if channels == 1:
        return images
    # Any other seed than that of the moves, of this batch and all others.
    sides = tf.random.stateless_uniform(
        (count, 1, 1, 1), [seed[0], -1 - seed[1]], 0, 2, dtype=tf.int32, alg="philox"
    )
    return tf.where(sides == 1, images[:, :, ::-1], images)


def statistics_batches(
    examples: Examples, batch_size: int, batches: int, seed: int
) -> tf.data.Dataset:
    """The batches of inputs that the normalization's statistics are taken over."""
    # Any number that is no epoch's gives an order that training doesn't use.
    order = _order(examples, seed, -1)[: batches * batch_size]
    return (
        tf.data.Dataset.from_tensor_slices(order)
        .batch(batch_size)
        .map(examples.train.rows)
        .with_options(_plain())
    )


def evaluation_batches(split: Split) -> tf.data.Dataset:
    """Batches of (inputs, labels) of a split to be tested on, in its order."""
    return (
        tf.data.Dataset.range(len(split))
        .batch(EVALUATION_BATCH)
        .map(split.batch)
        .with_options(_plain())
    )


def batches_per_epoch(examples: Examples, batch_size: int) -> int:
    return max(1, len(examples.train) // batch_size)


def _plain():
    """No autotuning: its thread takes a core, and ending it up to 9 s a run."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return options


def _order(examples, seed, epoch):
    return tf.random.experimental.stateless_shuffle(
        tf.range(len(examples.train)), seed=[seed, epoch], alg="philox"
    )
