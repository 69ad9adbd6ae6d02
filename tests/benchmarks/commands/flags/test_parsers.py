import pytest
from absl import flags

from keras_asymbp.benchmarks.commands.flags import parsers


@pytest.mark.parametrize(
    ("parser", "text", "words"),
    [
        (parsers.Integer(), "three", "must be a whole number below 2"),
        (parsers.Integer(), "2.5", "must be a whole number"),
        (parsers.Integer(), str(2**31), "must be a whole number"),
        (parsers.Number(), "half", "must be a number"),
        (parsers.Switch(), "x", "must be true or false"),
    ],
)
def test_values_of_another_type_are_refused(parser, text, words):
    with pytest.raises(ValueError, match=words):
        parser.parse(text)


def test_a_list_without_a_value_is_refused():
    with pytest.raises(ValueError, match="needs one or more; leave the flag out"):
        parsers.List().parse("")
    assert parsers.List().parse([]) == []  # a flag's default


def test_names():
    assert parsers.Name(["C1", "C2"]).parse("c2") == "C2"
    assert parsers.Name(["C1", "C2"]).parse("c3") == "c3"
    parser = parsers.List(known=["SGD", "SGD Top"])
    assert parser.parse("sgd, sgd top,x") == ["SGD", "SGD Top", "x"]
    parser = parsers.List(known=["mnist"], others=parsers.PATH)
    assert parser.parse("MNIST") == ["MNIST"]


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ([], False),
        (["--list"], True),
        (["--list=true"], True),
        (["--nolist"], False),
        (["--list=Networks"], "networks"),
        (["--list=x"], "x"),
    ],
)
def test_a_switch_that_takes_a_name(arguments, value):
    values = flags.FlagValues()
    parser = parsers.SwitchOrName(("networks",))
    flags.DEFINE(parser, "list", False, "help", values, boolean=True)
    values(["program", *arguments])
    assert values.list == value
