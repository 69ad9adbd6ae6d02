import os
import subprocess

from hypothesis import example, given, settings
from hypothesis import strategies as st

from keras_asymbp.benchmarks.escaping import shell

SIGNS = "ab '\"\\$`\n\t\r\x1b\x7f\u202e\udcff\udc80木!*?~#;&|<>(){}[]=-1"
WORDS = st.lists(
    st.one_of(st.text(st.sampled_from(SIGNS)), st.text(st.characters(codec="utf-8"))),
    max_size=5,
)


@example(["", "a'b\n", "\udcff\\", "\u202e1"])
@settings(max_examples=30)
@given(WORDS)
def test_a_shell_reads_the_words_from_one_line(words):
    words = [word.replace("\0", "") for word in words]
    line = shell.join(["printf", "%s\\0", *words, "end"])
    assert line.isprintable()
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True)
    assert done.stdout.split(b"\0")[:-1] == [*map(os.fsencode, words), b"end"]


def test_usual_words_stay_as_they_are():
    assert shell.join(["a", "b c", "木"]) == "a 'b c' '木'"
