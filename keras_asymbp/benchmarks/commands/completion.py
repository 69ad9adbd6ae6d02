"""Prints a script by which a shell completes commands, flags and their values.

    eval "$(keras-asymbp completion bash)"
    source <(keras-asymbp completion zsh)
    keras-asymbp completion fish | source

The line, in ~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish, completes in each new
shell. The script is made from the flags of the installed version.
"""

import importlib

from absl import flags

from keras_asymbp.benchmarks.commands import help, program, shells, subcommands
from keras_asymbp.benchmarks.commands.flags.parsers import FOLDER, PATH
from keras_asymbp.benchmarks.commands.shells import Command, Option
from keras_asymbp.benchmarks.errors import UsageError, unknown


class Flags:
    """This command has no flags of its own.

    Args:
        values: Where they would be defined.
    """

    def __init__(self, values: flags.FlagValues = flags.FLAGS): ...


def main() -> None:
    """The command; ends the process with its exit code."""
    program.start(
        _run,
        "keras-asymbp completion",
        __doc__,
        arguments="|".join(shells.SCRIPTS),
    )


def _run(arguments: list[str]) -> None:
    if len(arguments) != 1:
        raise UsageError(f"name one shell: {', '.join(shells.SCRIPTS)}")
    (name,) = arguments
    if name not in shells.SCRIPTS:
        raise unknown("shell", name, shells.SCRIPTS)
    print(shells.SCRIPTS[name](commands()), end="")


def commands() -> list[Command]:
    """The program's commands, with their flags."""
    found = []
    for row in subcommands.SUBCOMMANDS.values():
        values = flags.FlagValues()
        importlib.import_module(row.module).Flags(values)
        members = [f for group in help.groups(values).values() for f in group]
        options = [option for flag in members for option in _options(flag)]
        options.append(Option("help", "Show the flags."))
        words = tuple(shells.SCRIPTS) if row.name == "completion" else ()
        takes_files = row.name == "translate"
        found.append(Command(row.name, row.help, tuple(options), words, takes_files))
    return found


def _options(flag):
    """A flag, and that by which it is switched off."""
    value = help.value_of(flag)
    yield Option(
        flag.name,
        flag.help,
        takes_value=not flag.boolean,
        known=tuple(getattr(flag.parser, "known", ())),
        is_list=isinstance(flag.parser, flags.ListParser),
        folders=value == FOLDER,
        files=getattr(flag.parser, "others", None) == PATH,
    )
    if flag.boolean and not flag.default and flag.default is not False:
        yield Option(f"no{flag.name}", f"Switch --{flag.name} off.")


if __name__ == "__main__":
    main()
