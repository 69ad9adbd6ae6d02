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
