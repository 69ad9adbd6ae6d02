import pytest

from keras_asymbp.benchmarks.tables.definition import Fault
from keras_asymbp.benchmarks.tables.yaml_text import load


def test_numbers_are_those_of_yaml_1_2():
    text = "[5e-4, -1E+3, .5e1, 1.5e-3, 1, 0.5, e5, 5e, 1e-3x]"
    assert load(text) == [5e-4, -1e3, 5.0, 1.5e-3, 1, 0.5, "e5", "5e", "1e-3x"]


def test_merged_fields_are_no_repetition():
    text = "- &a {x: 1, y: 2}\n- {<<: *a, y: 3}"
    assert load(text) == [{"x": 1, "y": 2}, {"x": 1, "y": 3}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [", "^line 1: expected"),
        ("a: 1\nb: 2\na: 3", "^line 3: the field 'a' is given twice"),
        ("a: !!python/object/apply:os.getcwd []", "^line 1: could not determine"),
        ("[" * 600, "recursion"),
        ("a: \0", "^no YAML: "),
        ("? [1]\n: 2", "unhashable"),
        ("a: *b", "^line 1: found undefined alias"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_fault_has_its_line(text, expected):
    with pytest.raises(Fault, match=expected):
        load(text)
