import pytest

from keras_asymbp._names import cased, did_you_mean, near
from keras_asymbp.benchmarks.commands.subcommands import SUBCOMMANDS


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("mnist5k", ["mnist", "mnist_5k"], ["mnist_5k"]),
        ("C", ["C1", "C2", "A"], ["C1", "C2"]),
        ("m", ["m1", "m2", "m3", "m4"], []),  # too many to be of help
        ("quik", ["smoke", "quick", "paper"], ["quick"]),
        ("numpy", ["tensorflow", "jax"], []),
        ("", ["a"], []),
        ("-", ["a"], []),
        ("a" * 5000, ["a" * 4999], []),
    ],
)
def test_near_names(name, known, found):
    assert near(name, known) == found


@pytest.mark.parametrize(
    "word",
    ["xyz", "plot", "list", "test", "train", "status", "help", "check", "table", "zz"],
)
def test_no_far_fetched_commands(word):
    assert near(word, SUBCOMMANDS) == []


def test_only_case_is_mended():
    assert cased("c2", ["C1", "C2"]) == "C2"
    assert cased("FASHION-mnist", ["fashion_mnist"]) == "FASHION-mnist"
    assert cased("ab", ["AB", "aB"]) == "ab"  # either could be meant
    assert cased("ab", ["AB", "ab"]) == "ab"


def test_the_question():
    assert did_you_mean("C", ["C1", "C2"]) == "did you mean 'C1' or 'C2'?"
    assert did_you_mean("x", ["C1"]) == ""
