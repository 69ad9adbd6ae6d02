import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.escaping import spreadsheet

TEXTS = st.one_of(
    st.text(st.sampled_from("=+-@'\t\r\n \0,;\"ab\uff1d")), st.text(min_size=1)
)


@given(st.lists(TEXTS, min_size=2, max_size=2))
def test_text_is_read_back_and_no_formula(texts):
    written = spreadsheet.text(["a", "b"], [texts])
    _, cells = csv.reader(io.StringIO(written, newline=""))
    for cell, text in zip(cells, texts, strict=True):
        assert cell[:1] not in tuple("=+-@\t\r\n\0\uff1d")
        assert (cell[1:] if cell.startswith("'") else cell) == text


@pytest.mark.parametrize("sign", "=+-@'\t\r\n \0\uff1d\uff0b\uff0d\uff20")
def test_every_sign_of_a_formula_has_an_apostrophe_in_front(sign):
    assert spreadsheet.cell(f"{sign}1") == f"'{sign}1"


def test_a_text_with_any_separator_is_one_cell():
    assert spreadsheet.text(["a"], [["x;=1"], ["x\t=1"]]) == 'a\n"x;=1"\n"x\t=1"\n'


def test_numbers_are_numbers_and_unknown_values_are_empty():
    rows = [[-1, 5e-06, True, None, ""]]
    assert spreadsheet.text("abcde", rows) == "a,b,c,d,e\n-1,5e-06,True,,\n"


def test_bytes_that_are_no_text_are_escaped():
    assert spreadsheet.cell("a\udcff\ud800") == "a\\udcff\\ud800"
