import math

import numpy as np
import pytest

from keras_asymbp._numbers import check_count, check_number, is_count, is_number


@pytest.mark.parametrize("number", [0, 3, np.int64(3), np.uint8(0)])
def test_integers_of_python_and_numpy_are_counts(number):
    assert is_count(number, 0)
    check_count("steps", number, 0)


@pytest.mark.parametrize("number", [0, -1, np.int64(0), 2.0, True, "2", None, [2]])
def test_others_are_refused(number):
    assert not is_count(number)
    with pytest.raises(ValueError, match=r"`steps` must be .* 1 or more.*steps="):
        check_count("steps", number)


@pytest.mark.parametrize("number", [0, 1, 0.5, np.float32(0.5), np.int64(1)])
def test_real_numbers_of_python_and_numpy_are_taken(number):
    assert is_number(number, 0, 1)
    check_number("share", number, 0, 1)


@pytest.mark.parametrize(
    "number", [-1e-9, math.inf, -math.inf, math.nan, True, "0.5", None, 1j, [0.5]]
)
def test_other_numbers_are_refused(number):
    assert not is_number(number)
    message = r"`share` must be a number in the range \[0, inf\)\. Received: share="
    with pytest.raises(ValueError, match=message):
        check_number("share", number)


def test_bounds_are_closed_or_open():
    check_number("share", 1.0, most=1)
    with pytest.raises(ValueError, match=r"range \[0, 1\]"):
        check_number("share", 1.1, most=1)
    with pytest.raises(ValueError, match=r"range \(0, 1\]"):
        check_number("share", 0.0, most=1, is_open=True)
