import numpy as np
import pytest

from keras_asymbp._counts import check_count, is_count


@pytest.mark.parametrize("number", [0, 3, np.int64(3), np.uint8(0)])
def test_integers_of_python_and_numpy_are_counts(number):
    assert is_count(number, 0)
    check_count("steps", number, 0)


@pytest.mark.parametrize("number", [0, -1, np.int64(0), 2.0, True, "2", None, [2]])
def test_others_are_refused(number):
    assert not is_count(number)
    with pytest.raises(ValueError, match=r"`steps` must be .* 1 or more.*steps="):
        check_count("steps", number)
