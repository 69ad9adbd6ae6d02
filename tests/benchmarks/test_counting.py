import pytest

from keras_asymbp.benchmarks.counting import counted


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 cells"), (1, "1 cell"), (2, "2 cells")]
)
def test_the_noun_agrees_with_the_number(number, words):
    assert counted(number, "cell") == words
    assert counted(number, "process", "processes").startswith(f"{number} process")
    assert counted(number, "process", "processes").endswith("es") == (number != 1)
