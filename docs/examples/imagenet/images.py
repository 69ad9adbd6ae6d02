"""ImageNet's images, streamed from a folder that TensorFlow Datasets has prepared.

The crops, the sizes and the normalization are those of BioTorch's
`biotorch/datasets/imagenet.py`, at commit b07962b, which uses torchvision.
"""

import tensorflow as tf

from keras_asymbp.benchmarks.datasets.tfds_folder import TfdsFolder
from keras_asymbp.benchmarks.errors import NotPreparedError, UsageError

COUNTS = {"train": 1_281_167, "validation": 50_000}
SIZE, RESIZED = 224, 256
MEAN, STDDEV = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# The JPEGs that are shuffled at a time: about 1 GB.
SHUFFLED = 8192


def read(data_dir):
    """Returns the examples of both splits: dictionaries with `image`, a JPEG, `label`.

    Raises:
        UsageError: If the data set is missing or incomplete.
    """
    try:
        folder = TfdsFolder("imagenet2012").folder(data_dir)
    except NotPreparedError as error:
        raise UsageError(
            f"{error}: expected its train and validation splits; name their folder "
            "with --data_dir, or prepare them as docs/guides/imagenet.md describes"
        ) from error
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(folder)
    found = {
        name: builder.info.splits[name].num_examples for name in builder.info.splits
    }
    for split, count in COUNTS.items():
        if found.get(split) != count:
            raise UsageError(
                f"{folder} has {found.get(split, 0):,} {split} images: expected "
                f"{count:,}; prepare it again as docs/guides/imagenet.md describes"
            )
    jpegs = {"image": tfds.decode.SkipDecoding()}
    return (
        builder.as_dataset("train", shuffle_files=True, decoders=jpegs),
        builder.as_dataset("validation", decoders=jpegs),
    )


def training_batches(examples, batch_size):
    """Shuffled batches of random crops, without the remainder."""
    return _batches(examples.shuffle(SHUFFLED), training_image, batch_size, True)


def validation_batches(examples, batch_size):
    return _batches(examples, validation_image, batch_size, False)


def _batches(examples, of_jpeg, batch_size, drop_remainder):
    images = examples.map(
        lambda example: (of_jpeg(example["image"]), example["label"]),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    batches = images.batch(batch_size, drop_remainder=drop_remainder)
    return batches.prefetch(tf.data.AUTOTUNE)


def training_image(jpeg):
    """A random crop of 8 to 100% of the area, 224 x 224, half of them mirrored."""
    begin, size, _ = tf.image.sample_distorted_bounding_box(
        tf.image.extract_jpeg_shape(jpeg),
        tf.zeros((1, 0, 4)),  # no box to keep: the whole image
        min_object_covered=0.0,
        aspect_ratio_range=(3 / 4, 4 / 3),
        area_range=(0.08, 1.0),
        use_image_if_no_bounding_boxes=True,
    )
    window = tf.concat([begin[:2], size[:2]], 0)
    crop = tf.image.decode_and_crop_jpeg(
        jpeg, window, channels=3, dct_method="INTEGER_ACCURATE"
    )
    image = tf.image.resize(crop, (SIZE, SIZE), antialias=True)
    return normalized(tf.image.random_flip_left_right(image))


def validation_image(jpeg):
    """The central 224 x 224 pixels, after resizing the shorter side to 256."""
    image = tf.image.decode_jpeg(jpeg, channels=3, dct_method="INTEGER_ACCURATE")
    shape = tf.shape(image)[:2]
    shape = RESIZED * shape // tf.reduce_min(shape)
    image = tf.image.resize(image, shape, antialias=True)
    # torchvision rounds a half to the even number.
    top, left = tf.unstack(tf.cast(tf.round((shape - SIZE) / 2), "int32"))
    return normalized(image[top : top + SIZE, left : left + SIZE])


def normalized(image):
    """Pixels from 0 to 255, standardized by the channels' means and deviations."""
    image = tf.ensure_shape(image, (SIZE, SIZE, 3))
    return (image / 255 - tf.constant(MEAN)) / tf.constant(STDDEV)


def random_examples(number, seed=0):
    """JPEGs of noise with labels, as `read` returns them: for a dry run."""
    numbers = tf.random.Generator.from_seed(seed)
    jpegs = [
        tf.io.encode_jpeg(
            tf.cast(numbers.uniform((260, 300, 3), 0, 256, "int32"), "uint8")
        )
        for _ in range(number)
    ]
    labels = numbers.uniform((number,), 0, 1000, "int64")
    return tf.data.Dataset.from_tensor_slices({"image": jpegs, "label": labels})
