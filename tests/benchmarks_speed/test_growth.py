import pytest

from benchmarks.speed import growth


def test_the_slope_is_the_exponent():
    sizes = (256, 512, 1024, 2048)
    assert growth.slope(sizes, [3e-9 * size**2 for size in sizes]) == pytest.approx(2)
    assert growth.slope(sizes, [0.5] * 4) == pytest.approx(0)
