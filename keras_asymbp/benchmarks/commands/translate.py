"""Prints what options of BioTorch and of sign-symmetry are called here.

    keras-asymbp translate usf.yaml
    keras-asymbp translate -- train.py --algo sign_symmetry --arch alexnet imagenet

Reads a configuration file of BioTorch, or the command line of sign-symmetry's train.py
(after --, in quotes, or in a file). Prints our command, the same in Python, and a line
for each option that has no equivalent or differs. Nothing is trained.
"""

import argparse
import os
import pathlib
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from absl import flags

from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.peers import translation
from keras_asymbp.benchmarks.peers.options import (
    BIOTORCH,
    SIGN_SYMMETRY,
    Option,
)


def main() -> None:
    """The command line; ends the process with its exit code."""
    # What follows the first argument is the peer's: train.py --arch alexnet
    flags.FLAGS.set_gnu_getopt(False)
    program.start(_run, {"__doc__": __doc__}, stopped="stopped", takes_arguments=True)


def _run(arguments: list[str]) -> None:
    done = translation.translate(*read(arguments))
    print(f"Command:\n{done.command or 'none, see below'}")
    print(f"\nIn Python:\n{done.python}")
    print("\nWithout an equivalent, or with another:")
    print("\n".join(done.remarks) or "nothing")


def read(arguments: Sequence[str]) -> tuple[tuple[Option, ...], dict[str, Any]]:
    """The options that there are, and those that are given, by name.

    Args:
        arguments: A file's name, or sign-symmetry's command line, as one text or in
            words.

    Raises:
        UsageError: If it can't be read.
    """
    if not arguments:
        raise UsageError(
            "name a configuration file of BioTorch, or give sign-symmetry's command "
            "line after --"
        )
    first = arguments[0]
    if len(arguments) > 1:
        return SIGN_SYMMETRY, _read_words(arguments)
    if first.split() != [first] and not os.path.exists(first):
        return SIGN_SYMMETRY, _read_words(_split(first))
    try:
        text = pathlib.Path(first).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(
            f"can't read '{first}' ({reason}): give a configuration file of BioTorch, "
            "or sign-symmetry's command line after --"
        ) from error
    if first.endswith((".yaml", ".yml")):
        return BIOTORCH, _read_yaml(first, text)
    return SIGN_SYMMETRY, _read_words(_split(text))


def _read_yaml(file, text):
    import yaml

    try:
        config = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"'{file}' is no YAML: {error}") from error
    if not isinstance(config, dict):
        raise UsageError(
            f"'{file}' is no configuration file of BioTorch: expected sections such as "
            "experiment, data, model and training"
        )
    return dict(_flat(config, ""))


def _flat(section, path) -> Iterator[tuple[str, Any]]:
    """The values of a file by the keys that lead to them."""
    for key, value in section.items():
        name = f"{path}{key}"
        is_section = any(option.name.startswith(f"{name}.") for option in BIOTORCH)
        if is_section and isinstance(value, dict):
            yield from _flat(value, f"{name}.")
        elif value is not None:  # null is what isn't given
            yield name, value


def _split(text):
    try:
        return shlex.split(text.replace("\\\n", " "), comments=True)
    except ValueError as error:
        raise UsageError(f"the command line can't be read: {error}") from error


class _Parser(argparse.ArgumentParser):
    """Raises what the other would print."""

    def error(self, message):
        raise UsageError(
            f"sign-symmetry's train.py would not take this command line: {message}"
        )


def _read_words(words):
    for number, word in enumerate(words):
        if os.path.basename(word) == "train.py":
            words = words[number + 1 :]
            break
    parser = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    for option in SIGN_SYMMETRY:
        if not option.name.startswith("-"):
            parser.add_argument(option.name, nargs="?")
        elif option.kind is bool:
            parser.add_argument(
                *(option.name, *option.names), dest=option.name, action="store_true"
            )
        else:
            parser.add_argument(*(option.name, *option.names), dest=option.name)
    return vars(parser.parse_args(words))


if __name__ == "__main__":
    main()
