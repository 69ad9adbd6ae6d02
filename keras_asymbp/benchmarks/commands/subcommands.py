"""The program keras-asymbp: a name for each of the package's commands."""

import difflib
import importlib
import sys

from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.errors import UsageError

_PACKAGE = "keras_asymbp.benchmarks.commands"
# Each is what it does, the module whose `main` does it, and a flag that says so.
SUBCOMMANDS = {
    "run": ("run experiments and print their tables", f"{_PACKAGE}.run"),
    "depth": (
        "train each rule on ever deeper networks and draw what becomes of it",
        f"{_PACKAGE}.depth",
    ),
    "report": (
        "write the reports of a results folder anew, also while a run fills it",
        f"{_PACKAGE}.report",
    ),
    "claims": (
        "check the paper's claims on a results folder",
        f"{_PACKAGE}.run",
        "--claims",
    ),
    "datasets": (
        "list, prepare and look at data sets",
        f"{_PACKAGE}.datasets",
    ),
    "doctor": (
        "look for what would make runs slow or results wrong",
        f"{_PACKAGE}.doctor",
    ),
    "translate": (
        "print what options of BioTorch and of sign-symmetry are called here",
        f"{_PACKAGE}.translate",
    ),
}


def main() -> None:
    """The program; ends the process with its exit code."""
    script, *arguments = sys.argv
    if not arguments or arguments[0].lstrip("-") in ("h", "help", "helpshort"):
        print(_help())
        sys.exit(0)
    name, *rest = arguments
    if name not in SUBCOMMANDS:
        program.fail(_unknown(name))
    _, module, *own = SUBCOMMANDS[name]
    sys.argv = [f"{script} {name}", *own, *rest]
    importlib.import_module(module).main()


def _help():
    lines = ["Usage: keras-asymbp SUBCOMMAND [FLAGS]", ""]
    lines += [f"  {name:<10}{what}" for name, (what, *_) in SUBCOMMANDS.items()]
    lines += ["", "keras-asymbp SUBCOMMAND --help lists the flags of one."]
    return "\n".join(lines)


def _unknown(name):
    names = list(SUBCOMMANDS)
    if name.startswith("-"):
        return UsageError(
            f"'{name}' comes after a subcommand: give one of {', '.join(names)} first"
        )
    (nearest,) = difflib.get_close_matches(name, names, n=1, cutoff=0)
    return UsageError(
        f"unknown subcommand '{name}': did you mean '{nearest}'? There are "
        f"{', '.join(names)}"
    )


if __name__ == "__main__":
    main()
