import io
import warnings

import numpy as np
import pytest
from PIL import Image

from keras_asymbp.benchmarks.datasets.decoding import decode_image
from keras_asymbp.benchmarks.errors import UsageError


@pytest.fixture(scope="module")
def image():
    """A colour gradient with noise in a corner, wider than high."""
    ramp = np.add.outer(np.arange(23) * 9, np.arange(31) * 3)[..., np.newaxis]
    pixels = np.add(ramp, [0, 20, 40]).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (9, 9, 3))
    pixels[:9, :9] = noise
    return Image.fromarray(pixels)


@pytest.fixture
def encode(image):
    """The content of a file with that image."""

    def encode(kind, mode="RGB", **options):
        content = io.BytesIO()
        image.convert(mode).save(content, kind, **options)
        return content.getvalue()

    return encode


KINDS = [
    *("PNG RGB", "PNG L", "PNG 1", "PNG P", "PNG RGBA", "PNG LA", "GIF RGB", "GIF L"),
    *("BMP RGB", "BMP L", "BMP P", "JPEG RGB", "JPEG L", "JPEG CMYK"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_images(kind, image, encode):
    encoding, mode = kind.split()
    content = encode(encoding, mode)
    is_lossy = encoding == "JPEG" or mode == "P" or kind == "GIF RGB"
    for channels, wanted in ((1, "L"), (3, "RGB")):
        decoded = decode_image(content, channels, "x")
        assert (decoded.shape, decoded.dtype) == ((23, 31, channels), np.uint8)
        expected = np.asarray(image.convert(mode).convert(wanted), int)
        error = np.abs(decoded - expected.reshape(decoded.shape)).mean()
        # Noise and a palette of 256 colours cost a few levels.
        assert error < 20 if is_lossy else error == 0


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_are_tensorflows(kind, encode):
    tf = pytest.importorskip("tensorflow")
    encoding, mode = kind.split()
    if encoding == "BMP" and mode == "P":
        pytest.skip("TensorFlow takes the indices of a palette for grey")
    content = encode(encoding, mode)
    wanted = tf.io.decode_image(content, channels=3, expand_animations=False)
    difference = np.abs(decode_image(content, 3, "x") - wanted.numpy().astype(int))
    # TensorFlow's cosine transform of JPEG is a faster one.
    assert difference.max() <= (8 if encoding == "JPEG" else 0)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_are_cut_to_the_upper_8(channels):
    tf = pytest.importorskip("tensorflow")  # Pillow writes no colours of 16 bits
    shape = (9, 7, channels)
    pixels = np.random.default_rng(0).integers(0, 2**16, shape).astype(np.uint16)
    decoded = decode_image(tf.io.encode_png(pixels).numpy(), 3, "x")
    colours = pixels[..., : 1 if channels < 3 else 3] >> 8
    np.testing.assert_array_equal(decoded, np.broadcast_to(colours, decoded.shape))


def test_transparency_is_dropped_without_a_warning(image):
    content = io.BytesIO()
    palette = image.quantize(17)
    palette.save(content, "PNG", transparency=bytes(range(17)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decoded = decode_image(content.getvalue(), 3, "x")
    np.testing.assert_array_equal(decoded, palette.convert("RGB"))


def test_the_first_frame_of_an_animation(image):
    first, content = image.quantize(17), io.BytesIO()
    first.save(content, "GIF", save_all=True, append_images=[first.rotate(180)])
    decoded = decode_image(content.getvalue(), 3, "x")
    np.testing.assert_array_equal(decoded, first.convert("RGB"))


def test_images_are_not_turned(encode):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    turned = decode_image(encode("JPEG", exif=exif), 3, "x")
    np.testing.assert_array_equal(turned, decode_image(encode("JPEG"), 3, "x"))


@pytest.mark.parametrize("kind", [*KINDS, "JPEG progressive"])
def test_a_cut_file_is_refused_or_complete(kind, encode):
    encoding, mode = kind.split()
    options = {"progressive": True} if mode == "progressive" else {"mode": mode}
    content = encode(encoding, **options)
    whole = decode_image(content, 3, "x")
    refused = 0
    for size in range(0, len(content), 3):
        try:
            cut = decode_image(content[:size], 3, "x")
        except UsageError:
            refused += 1
            continue
        # What is missing has no pixels, such as a checksum or the mark of the end.
        np.testing.assert_array_equal(cut, whole)
    assert refused > 0.8 * len(content) / 3


@pytest.mark.parametrize(
    "content", [b"", b"no image", b"\x89PNG\r\n\x1a\n" + b"x" * 40]
)
def test_what_is_no_image(content):
    words = r"^pets/1.png can't be decoded as an image \(.*\): get it again$"
    with pytest.raises(UsageError, match=words) as error:
        decode_image(content, 3, "pets/1.png")
    assert "0x" not in str(error.value)  # the address of an object


def test_other_formats_are_refused(encode):
    with pytest.raises(UsageError, match="it is none of BMP, GIF, JPEG, PNG"):
        decode_image(encode("TIFF"), 3, "x")
