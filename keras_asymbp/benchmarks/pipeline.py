"""From arrays to batches: the same order for every model that shares a seed."""

import dataclasses

import numpy as np
import tensorflow as tf

from keras_asymbp.benchmarks.datasets import Arrays

# Evaluation needs no gradients, so its batches can be large.
EVALUATION_BATCH = 500


@dataclasses.dataclass(frozen=True)
class Examples:
    """A data set as the networks take it, in memory once.

    Attributes:
        x_train: float32 inputs, scaled, minus the training set's mean input.
        y_train: int64 labels.
        x_test: As `x_train`; the training set's mean is subtracted.
        y_test: int64 labels.
    """

    x_train: tf.Tensor
    y_train: tf.Tensor
    x_test: tf.Tensor
    y_test: tf.Tensor


def prepare(arrays: Arrays, input_scale: float) -> Examples:
    """Scales a data set and subtracts the mean training input."""
    x_train = arrays.x_train.astype(np.float32) * np.float32(input_scale)
    x_test = arrays.x_test.astype(np.float32) * np.float32(input_scale)
    mean = x_train.mean(axis=0, dtype=np.float64).astype(np.float32)
    return Examples(
        tf.constant(x_train - mean),
        tf.constant(arrays.y_train.astype(np.int64)),
        tf.constant(x_test - mean),
        tf.constant(arrays.y_test.astype(np.int64)),
    )


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
        .map(
            lambda index: (
                tf.gather(examples.x_train, index),
                tf.gather(examples.y_train, index),
            )
        )
        .prefetch(2)
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
        .map(lambda index: tf.gather(examples.x_train, index))
    )


def batches_per_epoch(examples: Examples, batch_size: int) -> int:
    return max(1, len(examples.y_train) // batch_size)


def _order(examples, seed, epoch):
    return tf.random.experimental.stateless_shuffle(
        tf.range(len(examples.y_train)), seed=[seed, epoch], alg="philox"
    )
