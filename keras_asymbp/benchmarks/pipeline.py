"""From arrays to batches: the same order for every model that shares a seed."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_asymbp.benchmarks.datasets import Arrays

# Evaluation needs no gradients, so its batches can be large.
EVALUATION_BATCH = 500
# Inputs of a split up to this size are held in memory, others are read as needed.
_HELD_BYTES = 2**28
# Rows that the statistics are taken over at once.
_ROWS = 100


@dataclasses.dataclass(frozen=True)
class Split:
    """The training or the test examples of a cut data set.

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
    time.
    """

    train: Split
    test: Split


def prepare(
    arrays: Arrays,
    input_scale: float,
    train_examples: int | None = None,
    test_examples: int | None = None,
) -> Examples:
    """Cuts a data set, scales it, subtracts its mean.

    Args:
        arrays: The data set, with inputs as the network takes them: uint8 images are
            multiplied by `input_scale`, float vectors are divided by each input's
            standard deviation over the training examples.
        input_scale: What pixels are multiplied by.
        train_examples: How many training examples are used; None for all.
        test_examples: How many test examples are used; None for all.
    """
    train = _Rows(arrays.x_train, balanced(arrays.y_train, train_examples))
    test = _Rows(arrays.x_test, balanced(arrays.y_test, test_examples))
    if arrays.x_train.dtype == np.uint8:
        scale = np.float32(input_scale)
    else:
        scale = _inverse_deviation(train)
    mean = train.mean(lambda x: x.astype(np.float32) * scale).astype(np.float32)
    return Examples(
        *(
            Split(
                rows.reader(scale, mean),
                tf.constant(labels[rows.positions].astype(np.int64)),
            )
            for rows, labels in ((train, arrays.y_train), (test, arrays.y_test))
        )
    )


def _inverse_deviation(rows):
    """1 / the standard deviation of each input; 1 for an input that is constant."""
    centre = rows.mean()
    deviation = np.sqrt(rows.mean(lambda inputs: np.square(inputs - centre)))
    deviation[deviation == 0] = 1
    return (1 / deviation).astype(np.float32)


class _Rows:
    """The rows of an array, which may be memory-mapped, at some positions."""

    def __init__(self, inputs: np.ndarray, positions: np.ndarray):
        self._inputs, self.positions = inputs, positions

    def mean(self, function=lambda x: x) -> np.ndarray:
        """The mean row of a function of the rows, in float64."""
        total = np.zeros(self._inputs.shape[1:])
        for start in range(0, len(self.positions), _ROWS):
            # One row after the other, so that a sum is the same however it is cut.
            for row in function(self._inputs[self.positions[start : start + _ROWS]]):
                total += row
        return total / len(self.positions)

    def reader(self, scale: np.ndarray | np.float32, mean: np.ndarray):
        """What takes positions among these to float32 inputs."""
        take = self._taker()

        def rows(positions):
            return tf.cast(take(positions), tf.float32) * scale - mean

        return rows

    def _taker(self):
        inputs, positions = self._inputs, self.positions
        if inputs.nbytes // len(inputs) * len(positions) <= _HELD_BYTES:
            held = tf.constant(inputs[positions])
            return lambda index: tf.gather(held, index)

        def take(index):
            rows = tf.numpy_function(
                lambda at: inputs[positions[at]], [index], inputs.dtype
            )
            return tf.ensure_shape(rows, (None, *inputs.shape[1:]))

        return take


def balanced(labels: np.ndarray, count: int | None) -> np.ndarray:
    """Positions of `count` examples, of every class as many as can be, in their order.

    The first ones of each class are taken; a class that runs out leaves its share to
    the others.

    >>> balanced(np.array([7, 7, 7, 3, 3, 5]), 4).tolist()
    [0, 1, 3, 5]
    """
    if count is None:
        return np.arange(len(labels))
    by_class = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(
        labels[by_class], return_index=True, return_counts=True
    )
    # The number of each example within its class: all firsts, then all seconds, ...
    number = np.empty(len(labels), dtype=np.int64)
    number[by_class] = np.arange(len(labels)) - np.repeat(starts, sizes)
    return np.sort(np.argsort(number, kind="stable")[:count])


def training_batches(
    examples: Examples, batch_size: int, seed: int, first_epoch: int = 0
) -> tf.data.Dataset:
    """Batches of (inputs, labels) without end, in a new order every epoch.

    An epoch's order depends on the seed and the epoch alone. The examples that fill
    no whole batch are left out of that epoch, unless there are no more.
    """
    per_epoch = batches_per_epoch(examples, batch_size)

    def one_epoch(epoch):
        order = _order(examples, seed, epoch)[: per_epoch * batch_size]
        return tf.data.Dataset.from_tensor_slices(tf.reshape(order, (per_epoch, -1)))

    return (
        tf.data.Dataset.counter(first_epoch)
        .flat_map(one_epoch)
        .map(examples.train.batch)
        .prefetch(2)
        .with_options(_plain())
    )


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


def evaluation_batches(examples: Examples) -> tf.data.Dataset:
    """Batches of (inputs, labels) of the test examples, in their order."""
    return (
        tf.data.Dataset.range(len(examples.test))
        .batch(EVALUATION_BATCH)
        .map(examples.test.batch)
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
