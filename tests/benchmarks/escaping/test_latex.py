import re

from hypothesis import example, given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.escaping import latex


def test_signs_are_taken_literally():
    assert latex.escape("50% of $x_1 & {y}#") == r"50\% of \$x\_1 \& \{y\}\#"
    assert latex.escape(r"\input{/etc/passwd}") == (
        r"\textbackslash{}input\{/etc/passwd\}"
    )
    assert latex.escape("3.00▲ ±1.41") == r"3.00$\uparrow$ $\pm$1.41"
    assert latex.escape("--exp\nA") == "-{}-{}exp A"
    assert latex.escape("Bäume, 木") == "Bäume, ?"


@example("[1pt]*,,{}$x$ %^^M")
@given(st.text())
def test_no_special_character_remains(text):
    escaped = latex.escape(text)
    assert "\n" not in escaped
    bare = re.sub(
        r"\\[a-z]+\{\}|\$\\[a-z]+\$|\\[&%$#_{}]|[-,]\{\}|\{[\[\]*]\}", "", escaped
    )
    assert not set(bare) & set("\\&%$#_{}~^`\"'-<>|[]*")
    assert ",," not in bare
