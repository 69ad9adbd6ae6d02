"""The program keras-asymbp: its commands, each in a file of its name."""

import dataclasses
import importlib
import sys

from keras_asymbp import __version__
from keras_asymbp.benchmarks import guard
from keras_asymbp.benchmarks.errors import UsageError, unknown


@dataclasses.dataclass(frozen=True)
class Subcommand:
    """A row of the program's help.

    Attributes:
        name: The word after keras-asymbp.
        help: One line that describes it.
    """

    name: str
    help: str

    @property
    def module(self) -> str:
        """The module whose `main` is the subcommand, and `Flags` its flags."""
        return f"keras_asymbp.benchmarks.commands.{self.name}"


# By purpose, the essentials first.
GROUPS = {
    "Train": (
        Subcommand("run", "run experiments and print their tables"),
        Subcommand(
            "depth", "train each rule on ever deeper networks; plot error and alignment"
        ),
        Subcommand("ablation", "compare readings of what the paper leaves open"),
    ),
    "Look at results": (
        Subcommand(
            "report", "rewrite the reports of a results folder, even during a run"
        ),
        Subcommand("claims", "check the paper's claims on a results folder"),
        Subcommand("pictures", "draw a results folder beside the paper's figures"),
    ),
    "Prepare": (
        Subcommand("datasets", "list, prepare and check data sets"),
        Subcommand("doctor", "look for causes of slow runs or wrong results"),
        Subcommand("completion", "complete commands and flags in bash, zsh or fish"),
        Subcommand(
            "translate", "convert options of BioTorch and sign-symmetry to ours"
        ),
    ),
}
SUBCOMMANDS = {row.name: row for rows in GROUPS.values() for row in rows}


def main() -> None:
    """The program; ends the process with its exit code."""
    guard.run(_main)


def _main() -> None:
    script, *arguments = sys.argv
    first = arguments[0].lstrip("-") if arguments else "help"
    if first == "help" and len(arguments) > 1 and not arguments[1].startswith("-"):
        arguments = [arguments[1], "--help"]  # help run
    elif first in ("h", "?", "help", "helpshort", "helpfull"):
        print(_help())
        return
    elif first in ("V", "version"):
        print(f"keras-asymbp {__version__}")
        return
    name, *rest = arguments
    if name not in SUBCOMMANDS:
        raise _unknown(name)
    sys.argv = [f"{script} {name}", *rest]
    importlib.import_module(SUBCOMMANDS[name].module).main()


def _help():
    lines = [
        "Usage: keras-asymbp COMMAND [FLAGS]",
        "",
        "Trains networks whose error travels backward through weights of its own, and",
        "compares them with the tables of Liao, Leibo and Poggio (AAAI 2016).",
    ]
    for heading, rows in GROUPS.items():
        lines += ["", f"{heading}:"]
        lines += [f"  {row.name:<12}{row.help}" for row in rows]
    lines += [
        "",
        "keras-asymbp COMMAND --help lists a command's flags, --version the version.",
        "To begin: keras-asymbp run --exp C2 --preset smoke",
    ]
    return "\n".join(lines)


def _unknown(name):
    if name.startswith("-"):
        return UsageError(
            f"'{name}' comes after a command: give one of {', '.join(SUBCOMMANDS)} "
            "first"
        )
    return unknown("command", name, SUBCOMMANDS)


if __name__ == "__main__":
    main()
