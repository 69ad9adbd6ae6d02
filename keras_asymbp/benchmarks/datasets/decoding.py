"""Decodes image files, to the same pixels on every backend."""

import io

import numpy as np

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.errors import UsageError

# Those of image folders and of TFDS. Pillow's others are left out: some start programs.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG")
# Pillow's name for images of so many channels.
MODES = {1: "L", 3: "RGB"}


def decode_image(content: bytes, channels: int, name: object) -> np.ndarray:
    """Decodes an image to uint8 (height, width, channels).

    Transparency is dropped, 16 bits are cut to the upper 8, an animation gives its
    first frame, and the image is not turned as its EXIF data may say: TensorFlow's
    decoders do the same.

    Args:
        content: The content of a BMP, GIF, JPEG or PNG file.
        channels: 1 for greyscale, 3 for colour.
        name: What is decoded, for the message.

    Raises:
        UsageError: If it can't be decoded, for example because it is cut.
    """
    # Of the extra: help and lists work without it.
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            image.load()
            image.info.pop("transparency", None)  # Pillow warns of what it drops
            if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip
                upper = (np.asarray(image) >> 8).astype(np.uint8)
                pixels = np.asarray(Image.fromarray(upper).convert(MODES[channels]))
            else:
                pixels = np.asarray(image.convert(MODES[channels]))
    except Exception as error:  # Pillow's decoders raise errors of many types
        reason = foreign.reason(error)
        if isinstance(error, UnidentifiedImageError):
            reason = f"it is none of {', '.join(_FORMATS)}"
        raise UsageError(
            f"{name} can't be decoded as an image ({reason}): get it again"
        ) from error
    return pixels.reshape(*pixels.shape[:2], channels)
