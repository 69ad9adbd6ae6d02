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


def prepare(
    arrays: Arrays,
    input_scale: float,
    input_shape: tuple[int, ...] | None = None,
    train_examples: int | None = None,
    test_examples: int | None = None,
) -> Examples:
    """Cuts a data set, fits it to a network, scales it, subtracts its mean.

    Args:
        arrays: The data set.
        input_scale: What inputs are multiplied by.
        input_shape: Shape of one input of the network; None for the data set's own.
        train_examples: How many training examples are used; None for all.
        test_examples: How many test examples are used; None for all.
    """
    train = balanced(arrays.y_train, train_examples)
    test = balanced(arrays.y_test, test_examples)
    x_train = _scaled(arrays.x_train[train], input_shape, input_scale)
    x_test = _scaled(arrays.x_test[test], input_shape, input_scale)
    mean = x_train.mean(axis=0, dtype=np.float64).astype(np.float32)
    x_train -= mean
    x_test -= mean
    return Examples(
        tf.constant(x_train),
        tf.constant(arrays.y_train[train].astype(np.int64)),
        tf.constant(x_test),
        tf.constant(arrays.y_test[test].astype(np.int64)),
    )


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


def fit_images(images: np.ndarray, input_shape: tuple[int, ...]) -> np.ndarray:
    """Resizes uint8 images, and makes them grey or colour, as a network takes them.

    Bicubic with antialiasing, rounded to uint8: as MATLAB's `imresize`.
    """
    height, width, channels = input_shape
    return np.concatenate(
        [
            _fit_batch(
                images[start : start + EVALUATION_BATCH], height, width, channels
            )
            for start in range(0, len(images), EVALUATION_BATCH)
        ]
    )


def _fit_batch(images, height, width, channels):
    images = tf.constant(images)
    if images.shape[1:3] != (height, width):
        resized = tf.image.resize(images, (height, width), "bicubic", antialias=True)
        images = tf.saturate_cast(tf.round(resized), tf.uint8)
    if images.shape[-1] != channels:
        convert = tf.image.rgb_to_grayscale, tf.image.grayscale_to_rgb
        images = convert[channels > 1](images)
    return np.asarray(images)


def _scaled(inputs, input_shape, input_scale):
    if input_shape not in (None, inputs.shape[1:]):
        inputs = fit_images(inputs, input_shape)
    return inputs.astype(np.float32) * np.float32(input_scale)


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
        .map(lambda index: tf.gather(examples.x_train, index))
        .with_options(_plain())
    )


def evaluation_batches(examples: Examples) -> tf.data.Dataset:
    """Batches of (inputs, labels) of the test examples, in their order."""
    return (
        tf.data.Dataset.from_tensor_slices((examples.x_test, examples.y_test))
        .batch(EVALUATION_BATCH)
        .with_options(_plain())
    )


def batches_per_epoch(examples: Examples, batch_size: int) -> int:
    return max(1, len(examples.y_train) // batch_size)


def _plain():
    """No autotuning: its thread takes a core, and ending it up to 9 s a run."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return options


def _order(examples, seed, epoch):
    return tf.random.experimental.stateless_shuffle(
        tf.range(len(examples.y_train)), seed=[seed, epoch], alg="philox"
    )
