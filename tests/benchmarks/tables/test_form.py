import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.tables.form import (
    SCALAR,
    TEXT,
    TRUTH,
    Fields,
    Items,
    Nullable,
    fault,
    number,
    whole,
)

FORM = Fields(
    {"seed": whole(0), "errors": Items(number(0, 1))},
    {"note": Nullable(TEXT), "done": TRUTH},
    others=SCALAR,
    most=2,
)
HONEST = {"seed": 0, "errors": [0.5, 1, 0]}


@pytest.mark.parametrize(
    "more", [{}, {"note": None}, {"note": ""}, {"done": True}, {"a": 1, "b": None}]
)
def test_a_value_of_the_form(more):
    assert fault(HONEST | more, FORM) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "it is [], expected an object"),
        ({"seed": 0}, "errors is missing"),
        (HONEST | {"seed": True}, "seed is True, expected a whole number from 0"),
        (HONEST | {"seed": 1.0}, "seed is 1.0, expected a whole number from 0"),
        (HONEST | {"seed": -1}, "seed is -1, expected a whole number from 0"),
        (HONEST | {"seed": 2**64}, "expected a whole number from 0"),
        (HONEST | {"errors": {}}, "errors is {}, expected a list"),
        (HONEST | {"errors": [0, 2]}, "errors[1] is 2, expected a number from 0 to 1"),
        (HONEST | {"errors": [False]}, "errors[0] is False"),
        (HONEST | {"errors": [math.nan]}, "errors[0] is nan"),
        (HONEST | {"errors": [10**400]}, "expected a number from 0 to 1"),
        (HONEST | {"note": 1}, "note is 1, expected text"),
        (HONEST | {"done": 1}, "done is 1, expected true or false"),
        (HONEST | {"a": []}, "a is [], expected no list and no object"),
        (HONEST | {"a": 1, "b": 1, "c": 1}, "c is a field that this version does not"),
        (HONEST | {"a\n\x1b": []}, r"a\n\x1b is []"),
    ],
)
def test_a_fault_in_words(value, words):
    found = fault(value, FORM)
    assert found is not None
    assert words in found
    assert found.isprintable()
    assert len(found) < 200


@given(value=st.floats() | st.integers() | st.booleans() | st.none() | st.text())
def test_a_number_is_finite_and_in_range(value):
    is_number = type(value) in (int, float) and math.isfinite(min(value, 1e301))
    inside = is_number and -2 <= value <= 3
    assert (fault(value, number(-2, 3)) is None) == inside
