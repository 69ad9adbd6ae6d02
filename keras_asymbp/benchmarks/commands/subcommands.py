"""The program keras-asymbp: its subcommands, each in a file of its name."""

import dataclasses
import difflib
import importlib
import sys

from keras_asymbp.benchmarks import guard
from keras_asymbp.benchmarks.errors import UsageError


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
        """The module whose `main` is the subcommand."""
        return f"keras_asymbp.benchmarks.commands.{self.name}"


SUBCOMMANDS = {
    subcommand.name: subcommand
    for subcommand in (
        Subcommand(
            name="run",
            help="run experiments and print their tables",
        ),
        Subcommand(
            name="depth",
            help="train each rule on ever deeper networks; plot error and alignment",
        ),
        Subcommand(
            name="ablation",
            help="compare readings of what the paper leaves open",
        ),
        Subcommand(
            name="report",
            help="rewrite the reports of a results folder, even during a run",
        ),
        Subcommand(
            name="claims",
            help="check the paper's claims on a results folder",
        ),
        Subcommand(
            name="pictures",
            help="draw a results folder beside the paper's figures",
        ),
        Subcommand(
            name="datasets",
            help="list, prepare and check data sets",
        ),
        Subcommand(
            name="doctor",
            help="look for causes of slow runs or wrong results",
        ),
        Subcommand(
            name="translate",
            help="convert options of BioTorch and sign-symmetry to ours",
        ),
    )
}


def main() -> None:
    """The program; ends the process with its exit code."""
    guard.run(_main)


def _main() -> None:
    script, *arguments = sys.argv
    if not arguments or arguments[0].lstrip("-") in ("h", "help", "helpshort"):
        print(_help())
        return
    name, *rest = arguments
    if name not in SUBCOMMANDS:
        raise _unknown(name)
    sys.argv = [f"{script} {name}", *rest]
    importlib.import_module(SUBCOMMANDS[name].module).main()


def _help():
    lines = ["Usage: keras-asymbp SUBCOMMAND [FLAGS]", ""]
    lines += [f"  {row.name:<10}{row.help}" for row in SUBCOMMANDS.values()]
    lines += ["", "keras-asymbp SUBCOMMAND --help lists the flags of a subcommand."]
    return "\n".join(lines)


def _unknown(name):
    names = list(SUBCOMMANDS)
    if name.startswith("-"):
        return UsageError(
            f"'{name}' comes after a subcommand: give one of {', '.join(names)} first"
        )
    (nearest,) = difflib.get_close_matches(name, names, n=1, cutoff=0)
    return UsageError(
        f"unknown subcommand '{name}': did you mean '{nearest}'? Choose from "
        f"{', '.join(names)}"
    )


if __name__ == "__main__":
    main()
