import shlex

import hypothesis
import pytest
from hypothesis import strategies as st

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.peers import shell

COMMAND = ["train.py", "--lr", "1", "photos"]
TEXT = shlex.join(COMMAND)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"{TEXT} > log.txt",
        f"{TEXT} >log.txt 2>&1 &",
        f"{TEXT} 2>errors",
        f"{TEXT} &> log",
        f"{TEXT} < /dev/null | tee -a log",
        f"{TEXT}; echo done",
        f"{TEXT} && echo done || echo failed",
        f"cd code && {TEXT}",
        f"#!/bin/bash\n# don't\nexport A=1\n{TEXT}\necho done\n",
        "train.py --lr 1 \\\n  photos",
        "train.py > log --lr 1 photos",
        "train.py\n  --lr 1 photos",
    ],
)
def test_one_command_is_read(text):
    assert shell.words(text) == COMMAND


def test_options_alone_may_be_on_several_lines():
    assert shell.words("--lr 1\n--algo sham\nphotos") == [
        *("--lr", "1", "--algo", "sham", "photos")
    ]
    assert shell.words("--lr 1 photos; ls") == ["--lr", "1", "photos"]
    assert shell.words("# nothing") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"for a in 1 2; do {TEXT}; done", "'for' starts several commands"),
        (f"while true; do\n{TEXT}\ndone", "'while' starts several commands"),
        (f"if true; then {TEXT}; fi", "'if' starts several commands"),
        (f"{TEXT}; {TEXT}", "2 commands of train.py: give the command of one run"),
        (f"{TEXT}\n{TEXT}\n{TEXT}", "3 commands of train.py"),
        (f"(cd code; {TEXT})", r"'\(' puts a command inside another"),
        (f"{TEXT} --prefix $(date)", r"'\(' puts a command inside another"),
        (f"{TEXT} --prefix `date`", "'`date`' puts a command inside another"),
        (f"{TEXT} 'a", "can't read the command line: No closing quotation"),
        ("'a\n" + 40 * "b\n", "can't read the command line: No closing quotation"),
    ],
)
def test_several_commands_are_refused(text, message):
    with pytest.raises(UsageError, match=message):
        shell.words(text)


@hypothesis.given(st.lists(st.text("a$ '\"\n#;>&|é").map("a".__add__), max_size=5))
def test_quoted_words_come_back(words):
    words = ["train.py", *words]
    assert shell.words(shlex.join(words)) == words
