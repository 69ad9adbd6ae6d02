"""Fits images to a network: its size, greyscale or colour."""

import numpy as np
import tensorflow as tf

# Images resized at a time.
_BATCH = 500


def fit_images(images: np.ndarray, input_shape: tuple[int, ...]) -> np.ndarray:
    """Resizes images, and converts them to greyscale or colour, for a network.

    Resizing is bicubic with antialiasing and rounds to uint8, as MATLAB's `imresize`.

    Args:
        images: (n, height, width, channels), uint8; 1 or 3 channels.
        input_shape: Height, width and channels of the result.
    """
    height, width, channels = input_shape
    return np.concatenate(
        [
            _fit_batch(images[start : start + _BATCH], height, width, channels)
            for start in range(0, len(images), _BATCH)
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
