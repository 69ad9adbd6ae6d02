import re

import pytest
from absl import flags

from keras_asymbp.benchmarks.commands import ablation, depth, help, run
from keras_asymbp.benchmarks.commands.flags.groups import (
    ESSENTIALS,
    HEADINGS,
    HELP,
    Group,
)

DOC = """Does something
to something.

    keras-asymbp x

Then ends.
"""


@pytest.fixture
def values():
    values = flags.FlagValues()
    group = Group(ESSENTIALS, values)
    group.list("names", ["a", "b"], "Some names.")
    group.integer("count", None, "How many.")
    group.switch("dry", False, "Only look.")
    group.switch("fast", None, "Be fast.")
    group.switch_or_name("list", "List.", ["topic"])
    return values


def test_the_help_of_a_command(values, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert (
        help.text("keras-asymbp x", DOC, values, "FILE")
        == """\
Usage: keras-asymbp x [FLAGS] FILE

Does something to something.

    keras-asymbp x

Then ends.

Flags:
  --names=NAME,...        Some names. (default: a,b)
  --count=N               How many.
  --dry                   Only look.
  --[no]fast              Be fast.
  --list[=NAME]           List."""
    )


@pytest.mark.parametrize("columns", [20, 80, 300])
def test_it_fits_the_terminal(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    values = flags.FlagValues()
    run.Flags(values)
    lines = help.text("keras-asymbp run", run.__doc__, values).splitlines()
    assert max(map(len, lines)) <= min(max(columns, 50), 100)


def test_the_essentials_come_first_and_nothing_is_left_out():
    values = flags.FlagValues()
    run.Flags(values)
    found = help.groups(values)
    assert list(found) == [h for h in HEADINGS if h != HELP]
    first = [flag.name for flag in found[ESSENTIALS]]
    assert first[:5] == ["exp", "models", "datasets", "preset", "seeds"]
    assert {f.name for group in found.values() for f in group} == set(values)


@pytest.mark.parametrize("command", [ablation, depth, run])
def test_a_flag_is_named_with_its_command_unless_the_command_has_it(command):
    values = flags.FlagValues()
    command.Flags(values)
    known = set(values)
    for name in values:
        text = values[name].help.replace("keras-asymbp run --list", "")
        named = {word.removeprefix("no") for word in re.findall(r"--(\w+)", text)}
        assert named <= known, name


@pytest.mark.parametrize("command", [ablation, depth])
def test_a_study_says_that_it_takes_one_data_set(command):
    assert "one data set" in " ".join(command.__doc__.split())
