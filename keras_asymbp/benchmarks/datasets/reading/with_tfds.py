"""Reads prepared data sets with TFDS, which needs TensorFlow."""

import pathlib
from collections.abc import Iterator
from typing import Any

from absl import logging

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.datasets.reading import shards

# Examples read at a time; reading them singly takes four times as long.
_BATCH = 64


def examples(
    folder: pathlib.Path, splits: str, keys: tuple[str, ...]
) -> Iterator[tuple[Any, ...]]:
    """Yields some features of each example, as `reading.examples`.

    Raises:
        UsageError: If the folder is damaged.
    """
    import tensorflow as tf
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    with foreign.guarded(folder, foreign.PREPARE_AGAIN):
        builder = tfds.builder_from_directory(folder)
        images = [
            key
            for key in keys
            if isinstance(builder.info.features[key], tfds.features.Image)
        ]
        verbosity = logging.get_verbosity()
        logging.set_verbosity(logging.ERROR)  # TFDS warns of its own attributes
        try:
            dataset = builder.as_dataset(
                split=splits,
                # Shard after shard: TFDS would mix them.
                read_config=tfds.ReadConfig(
                    interleave_cycle_length=1, try_autocache=False
                ),
                decoders=tfds.decode.PartialDecoding(
                    dict.fromkeys(keys, True),
                    decoders=dict.fromkeys(images, tfds.decode.SkipDecoding()),
                ),
            )
        finally:
            logging.set_verbosity(verbosity)
        try:
            # Tensors of one size and strings of any can be batched.
            for batch in tfds.as_numpy(dataset.batch(_BATCH)):
                yield from zip(*(batch[key] for key in keys), strict=True)
        except tf.errors.DataLossError as error:  # which doesn't name the file
            path = _damaged(folder, splits) or folder
            raise shards.damaged(path, foreign.reason(error)) from error


def _damaged(folder, splits):
    """The first shard with a damaged record, if any."""
    import tensorflow as tf

    for split in splits.split("+"):
        for path, _ in shards.of_split(folder, split.partition("[")[0]):
            try:
                for _ in tf.data.TFRecordDataset(str(path)):
                    pass
            except tf.errors.DataLossError:
                return path
    return None
