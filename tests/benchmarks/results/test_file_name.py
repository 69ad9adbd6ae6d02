import hypothesis
import pytest
from hypothesis import strategies as st

from keras_asymbp.benchmarks.results.file_name import file_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        # Names of files that were written before.
        ("mnist_5k-SGD Bottom-seed0-lr0.05", "mnist_5k-SGD_Bottom-seed0-lr0.05"),
        ("uSF+BN+BM", "uSF+BN+BM"),
        ("..", "_"),
        ("../a", "_a"),
        (160 * "x", 160 * "x"),
    ],
)
def test_plain_names_stay_readable(text, name):
    assert file_name(text) == name


@hypothesis.given(st.text())
def test_any_text_is_a_name_on_any_file_system(text):
    name = file_name(100 * text)
    assert 0 < len(name) < 200
    assert name.isascii()
    assert name.isprintable()
    assert "/" not in name
    assert not name.startswith(".")


def test_names_that_are_cut_or_lose_letters_stay_apart():
    assert file_name("日") != file_name("本")
    assert file_name(200 * "x" + "1") != file_name(200 * "x" + "2")


def test_bytes_that_are_not_utf_8():
    assert file_name("a\udcff").startswith("a_-")
