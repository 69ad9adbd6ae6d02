import importlib

import pytest
from absl import flags

from keras_asymbp.benchmarks.commands import completion, subcommands
from keras_asymbp.benchmarks.errors import UsageError


def test_it_has_every_command_with_every_flag():
    commands = {command.name: command for command in completion.commands()}
    assert list(commands) == list(subcommands.SUBCOMMANDS)
    for name, row in subcommands.SUBCOMMANDS.items():
        values = flags.FlagValues()
        importlib.import_module(row.module).Flags(values)
        options = {option.name for option in commands[name].options}
        assert options >= {*values, "help"}, name
    options = {option.name: option for option in commands["run"].options}
    assert "C2" in options["exp"].known
    assert options["exp"].is_list
    assert options["results_dir"].folders
    assert not options["dry_run"].takes_value
    assert "nowhole_epochs" in options


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name one shell: bash, zsh, fish"),
        (["bash", "zsh"], "name one shell"),
        (["bsh"], "unknown shell 'bsh': did you mean 'bash'"),
    ],
)
def test_other_shells_are_refused(words, message):
    with pytest.raises(UsageError, match=message):
        completion._run(words)
