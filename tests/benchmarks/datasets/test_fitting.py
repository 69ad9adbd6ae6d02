import numpy as np
import pytest

from keras_asymbp.benchmarks.datasets.fitting import fit_images


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((28, 28, 1), (32, 32, 3)),
        ((28, 28, 1), (119, 119, 3)),
        ((32, 32, 3), (28, 28, 1)),
        ((40, 30, 3), (32, 32, 3)),
        ((28, 28, 1), (28, 28, 3)),
    ],
)
def test_images_are_fitted_to_the_network(shape, wanted):
    images = np.random.default_rng(0).integers(0, 256, (20, *shape), dtype=np.uint8)
    fitted = fit_images(images, wanted)
    assert (fitted.shape, fitted.dtype) == ((20, *wanted), np.uint8)
    if shape[-1] == 1:
        for channel in (1, 2):
            np.testing.assert_array_equal(fitted[..., 0], fitted[..., channel])
    if shape[:2] == wanted[:2]:
        np.testing.assert_array_equal(fitted[..., :1], images)
    # The result does not depend on the number of images at a time.
    np.testing.assert_array_equal(fit_images(images[7:8], wanted)[0], fitted[7])


def by_formula(image, size, axis):
    """An axis resized by cubic convolution as Keys defines it (1981), a = -0.5."""
    image = np.moveaxis(image, axis, 0).astype(float)
    scale = max(1, len(image) / size)  # widens the kernel where the image shrinks
    centres = (np.arange(size) + 0.5) * len(image) / size
    x = np.abs(np.arange(len(image)) + 0.5 - centres[:, np.newaxis]) / scale
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    weights = np.where(x < 1, near, np.where(x < 2, far, 0))
    weights /= weights.sum(axis=1, keepdims=True)
    resized = np.tensordot(weights, image, axes=1)
    return np.moveaxis(np.clip(np.round(resized), 0, 255), 0, axis)


@pytest.mark.parametrize("size", [(32, 32), (119, 119), (28, 28), (9, 50), (23, 31)])
@pytest.mark.parametrize("channels", [1, 3])
def test_resizing_follows_the_formula(size, channels):
    shape = (2, 31, 45, channels)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    images[0, :16] = 255 * (images[0, :16] > 127)  # much to clip
    shrinks_most_first = sorted((1, 2), key=lambda axis: size[axis - 1] / shape[axis])
    wanted = images
    for axis in shrinks_most_first:
        wanted = by_formula(wanted, size[axis - 1], axis)
    fitted = fit_images(images, (*size, channels))
    assert np.abs(fitted - wanted).max() <= 1


def test_no_images():
    assert fit_images(np.zeros((0, 4, 4, 3), np.uint8), (2, 2, 1)).shape == (0, 2, 2, 1)


def test_flat_areas_and_edges_are_kept():
    images = np.full((2, 20, 20, 1), 77, np.uint8)
    images[1, :, :10] = 0
    images[1, :, 10:] = 255
    flat, edge = fit_images(images, (40, 40, 1))[..., 0]
    assert (flat == 77).all()
    # Bicubic overshoots: values beyond the range are clipped, not wrapped around.
    assert (edge[:, :17] <= 20).all()
    assert (edge[:, 23:] >= 235).all()


def test_grey_is_luma():
    colour = np.zeros((3, 4, 4, 3), np.uint8)
    colour[[0, 1, 2], :, :, [0, 1, 2]] = 200
    grey = fit_images(colour, (4, 4, 1))[:, 0, 0, 0].astype(int)
    assert abs(grey - 200 * np.array([0.299, 0.587, 0.114])).max() <= 1
