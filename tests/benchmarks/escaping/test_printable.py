import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.escaping.printable import one_line, printable

ANY = st.text(st.characters(codec=None))


def test_letters_of_any_language_stay():
    assert printable("Bäume 木 e\u0301 naïve") == "Bäume 木 e\u0301 naïve"


@given(ANY)
def test_nothing_commands_a_terminal(text):
    for escaped in (printable(text), one_line(text)):
        assert escaped.isprintable()
        assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & set(
            map(unicodedata.category, escaped)
        )
        escaped.encode("utf-8")
    assert one_line(text).split() == printable(" ".join(text.split())).split()
