"""The help of a command: its description, then its flags by group, essentials first."""

import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from absl import flags

from keras_asymbp.benchmarks.commands.flags.groups import ESSENTIALS, HEADINGS, HELP

_LEFT = 26  # width of the column of flags
_NARROWEST, _WIDEST = 50, 100


def text(
    program: str,
    doc: str | None,
    values: flags.FlagValues,
    arguments: str = "",
    full: bool = False,
) -> str:
    """The help as lines of a terminal's width.

    Args:
        program: The command as it is typed, such as "keras-asymbp run".
        doc: Its description.
        values: Its flags.
        arguments: Its other arguments, as in a synopsis.
        full: Whether to list the flags of libraries, too.
    """
    width = min(max(shutil.get_terminal_size().columns, _NARROWEST), _WIDEST)
    synopsis = " ".join(filter(None, (program, "[FLAGS]", arguments)))
    parts = [f"Usage: {synopsis}", *_paragraphs(doc or "", width)]
    for heading, members in groups(values, full).items():
        lines = [line for flag in members for line in _entry(flag, width)]
        parts.append("\n".join([f"{heading}:", *lines]))
    return "\n\n".join(parts)


def groups(
    values: flags.FlagValues, full: bool = False
) -> Mapping[str, Sequence[flags.Flag]]:
    """Flags by heading, in the order of the help.

    Args:
        values: The flags.
        full: Whether to add those of libraries, by module.
    """
    found = dict(values.flags_by_module_dict())
    program = found.pop(sys.argv[0], ())  # of a program that has no groups
    ours: dict[str, Sequence[flags.Flag]]
    ours = {heading: found.pop(heading, ()) for heading in HEADINGS}
    ours = {"Flags": program} | ours | (found if full else {})
    filled = {heading: members for heading, members in ours.items() if members}
    if filled.keys() <= {ESSENTIALS, HELP}:  # a short list has no need of headings
        filled = {"Flags": [flag for members in filled.values() for flag in members]}
    return filled


def value_of(flag: flags.Flag) -> str:
    """What stands for a flag's value, after `=`; empty for a mere switch."""
    if isinstance(flag.parser, flags.BooleanParser):
        return ""
    default = {"int": "N", "float": "NUMBER"}.get(flag.flag_type(), "TEXT")
    return getattr(flag.parser, "metavar", default)


def typed(flag: flags.Flag) -> str:
    """A flag as it is typed."""
    value = value_of(flag)
    if not flag.boolean:
        return f"--{flag.name}={value}"
    if value:
        return f"--{flag.name}[={value}]"
    # What is off by default is switched off by no one.
    return f"--{flag.name}" if flag.default is False else f"--[no]{flag.name}"


def _entry(flag, width) -> list[str]:
    indent = " " * _LEFT
    lines = textwrap.wrap(
        *(_described(flag), width),
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
    left = f"  {typed(flag)}"
    if len(left) < _LEFT and lines:
        return [left.ljust(_LEFT) + lines[0].lstrip(), *lines[1:]]
    return [left, *lines]


def _described(flag):
    if flag.boolean or not flag.default:
        return flag.help
    default = flag.default_as_str.strip("'").removesuffix(".0")
    return f"{flag.help} (default: {default})"


def _paragraphs(doc, width) -> Iterator[str]:
    """The paragraphs of a docstring, filled; indented ones stay as they are."""
    for paragraph in doc.strip().split("\n\n"):
        if paragraph.startswith(" "):
            yield paragraph
        else:
            yield textwrap.fill(paragraph.replace("\n", " "), width)
