"""Reads BioTorch's configuration files and sign-symmetry's command lines."""

import argparse
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.peers import shell
from keras_asymbp.benchmarks.peers.options import (
    BIOTORCH,
    SIGN_SYMMETRY,
    Option,
)


def read(arguments: Sequence[str]) -> tuple[tuple[Option, ...], dict[str, Any]]:
    """Returns the peer's options, and the values given, by name of option.

    Args:
        arguments: The name of a file, or sign-symmetry's command line, as one string
            or as words.

    Raises:
        UsageError: If they can't be read.
    """
    if not arguments:
        raise UsageError(
            "nothing to translate: name a configuration file of BioTorch, or give "
            "sign-symmetry's command line after --"
        )
    first = arguments[0]
    if len(arguments) > 1:
        return SIGN_SYMMETRY, _parse(arguments)
    if first.split() != [first] and not os.path.exists(first):
        return SIGN_SYMMETRY, _parse(shell.words(first))
    try:
        text = pathlib.Path(first).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise UsageError(
            f"can't read '{first}' ({reason}): give a configuration file of BioTorch, "
            "or sign-symmetry's command line after --"
        ) from error
    if first.endswith((".yaml", ".yml")):
        return BIOTORCH, _read_yaml(first, text)
    return SIGN_SYMMETRY, _parse(shell.words(text))


def _read_yaml(file: str, text: str) -> dict[str, Any]:
    import yaml

    try:
        config = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"'{file}' is not valid YAML: {error}") from error
    if not isinstance(config, dict):
        raise UsageError(
            f"'{file}' is not a configuration file of BioTorch: expected sections such "
            "as experiment, data, model and training"
        )
    return dict(_flatten(config))


def _flatten(section: Mapping, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a configuration, with their keys joined by dots."""
    for key, value in section.items():
        name = f"{prefix}{key}"
        is_section = any(option.name.startswith(f"{name}.") for option in BIOTORCH)
        if is_section and isinstance(value, dict):
            yield from _flatten(value, f"{name}.")
        elif value is not None:  # null leaves an option at its default
            yield name, value


class _Parser(argparse.ArgumentParser):
    """Raises errors instead of printing them."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(
            f"sign-symmetry's train.py would reject this command line: {message}"
        )


def _parse(words: Sequence[str]) -> dict[str, Any]:
    """Parses the words of a command line, from after `train.py` if it is among them."""
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
