"""Examples as Keras's `fit` and `evaluate` take them: batch by batch."""

import keras

from keras_asymbp.benchmarks.training import batches
from keras_asymbp.benchmarks.training.batches import Batches, Examples, Split


class BatchByBatch:
    """Feeds a model batch by batch, on either backend.

    Attributes:
        whole_epochs: Whether `fit` makes one step of an epoch.
    """

    whole_epochs = False

    def training(self, examples: Examples, batch_size: int, *which):
        """Returns training data for `fit`, endless; see `batches.training_batches`."""
        return feed(batches.training_batches(examples, batch_size, *which))

    def evaluation(self, split: Split):
        """Returns data for `evaluate`, or validation data for `fit`."""
        return feed(batches.evaluation_batches(split))


def feed(batches: Batches):
    """Returns what Keras trains on or evaluates: the batches, made as they are needed.

    On TensorFlow they are made ahead, beside the training.
    """
    if keras.backend.backend() == "tensorflow":
        return _dataset(batches)
    return _OneByOne(batches)


class _OneByOne(keras.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self._batches = batches

    @property
    def num_batches(self):
        return self._batches.count

    def __getitem__(self, number):
        return self._batches.get(number)


def _dataset(batches):
    """A `tf.data.Dataset`. Keras's own of a `PyDataset` tunes itself as it runs.

    The thread that does takes a core, and up to 9 s a run to stop.
    """
    import tensorflow as tf

    first = batches.get(0)

    def make(number):
        types = [array.dtype for array in first]
        made = tf.numpy_function(batches.get, [number], types, stateful=False)
        shapes = [(None, *array.shape[1:]) for array in first]
        return tuple(map(tf.ensure_shape, made, shapes))

    options = tf.data.Options()
    options.autotune.enabled = False
    numbers = (
        tf.data.Dataset.counter()
        if batches.endless
        else tf.data.Dataset.range(batches.count)
    )
    return numbers.map(make).prefetch(2).with_options(options)
