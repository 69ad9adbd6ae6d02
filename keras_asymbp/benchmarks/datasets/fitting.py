"""Fits images to a network: its size, greyscale or colour."""

import numpy as np

from keras_asymbp.benchmarks.datasets.decoding import MODES

# Names the way in which images are decoded and fitted, for those who keep the results:
# it changes whenever a pixel may.
FITTING = "pillow-1"


def fit_images(images: np.ndarray, input_shape: tuple[int, ...]) -> np.ndarray:
    """Resizes images, and converts them to greyscale or colour, for a network.

    Pillow resizes, so that every backend gets the same pixels. It does what MATLAB's
    `imresize` does to uint8 images: bicubic interpolation (a = -0.5) whose kernel is
    widened to shrink an image (antialiasing), one axis after the other, that which
    shrinks most first, each result rounded and clipped to 0 to 255. They differ near
    the edges: beyond them MATLAB mirrors the image, whereas Pillow leaves those weights
    out and scales up the rest.

    Greyscale is 0.299 red + 0.587 green + 0.114 blue; colour is the grey three times.

    Args:
        images: (n, height, width, channels), uint8; 1 or 3 channels.
        input_shape: Height, width and channels of the result.
    """
    from PIL import Image  # of the extra

    height, width, channels = input_shape
    fitted = np.empty((len(images), *input_shape), np.uint8)
    for target, pixels in zip(fitted, images, strict=True):
        image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        if image.size != (width, height):
            image = _resize(image, width, height)
        target[:] = np.asarray(image.convert(MODES[channels])).reshape(input_shape)
    return fitted


def _resize(image, width, height):
    """Resizes by one axis at a time, as the order depends on the version of Pillow."""
    from PIL import Image

    is_vertical_first = height / image.height <= width / image.width
    between = (image.width, height) if is_vertical_first else (width, image.height)
    for size in (between, (width, height)):
        image = image.resize(size, Image.Resampling.BICUBIC)
    return image
