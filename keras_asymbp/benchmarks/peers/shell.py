"""Reads the command of train.py out of a shell's line or script."""

import os
import re
import shlex
from collections.abc import Iterator

from keras_asymbp.benchmarks.errors import UsageError

_SCRIPT = "train.py"
_OPERATORS = "();<>|&"
_COMPOUND = ("for", "while", "until", "select", "if", "case", "function", "{")
# Lines that a quoted text may span.
_MOST_LINES = 20
_ONE = "give the command of one run"


def words(text: str) -> list[str]:
    """The words of a command, up to a redirection, a pipe, `&` or `;`.

    Args:
        text: One command, or a script in which one command runs train.py; others, such
            as `cd` or `export`, are left out.

    Raises:
        UsageError: If quotes don't match, or if it is not one command: a loop, a
            substitution, several runs of train.py.

    >>> words("cd code && nohup python train.py --lr 1 photos > log.txt 2>&1 &")
    ['nohup', 'python', 'train.py', '--lr', '1', 'photos']
    """
    commands: list[list[str]] = []
    for starts_line, command in _commands(text):
        if command[0] in _COMPOUND:
            raise UsageError(f"'{command[0]}' starts several commands: {_ONE}")
        # Options may be on several lines.
        goes_on = command[0].startswith("-") or _SCRIPT not in text
        if commands and starts_line and goes_on:
            commands[-1] += command
        else:
            commands.append(command)
    runs = [c for c in commands if _SCRIPT in map(os.path.basename, c)]
    if len(runs) > 1:
        raise UsageError(f"{len(runs)} commands of {_SCRIPT}: {_ONE}")
    return (runs or commands or [[]])[0]


def _commands(text: str) -> Iterator[tuple[bool, list[str]]]:
    """The commands without redirections, each with whether it starts its line."""
    for line in _lines(text):
        command: list[str] = []
        starts_line, redirected = True, False
        for token in _tokens(line):
            is_operator = set(token) <= set(_OPERATORS)
            if "`" in token or (is_operator and set(token) & set("()")):
                raise UsageError(f"'{token}' puts a command inside another: {_ONE}")
            if not is_operator:
                if not redirected:
                    command.append(token)
                redirected = False
            elif set(token) & set("<>"):  # the next word is its file
                redirected = True
                # The number of a descriptor stands right before it.
                if command and re.search(rf"(?<!\S){_number(command[-1])}[<>]", line):
                    command.pop()
            else:
                if command:
                    yield starts_line, command
                command, starts_line, redirected = [], False, False
        if command:
            yield starts_line, command


def _number(word):
    return word if word.isdecimal() else r"\d{9}"


def _lines(text: str) -> Iterator[str]:
    """The lines, joined where one goes on: after a backslash, or in quotes."""
    line = ""
    for part in text.replace("\\\n", " ").split("\n"):
        line += part
        try:
            _tokens(line)
        except ValueError as error:
            line += "\n"
            if line.count("\n") > _MOST_LINES:
                raise _unreadable(error) from error
            continue
        yield line
        line = ""
    if line:
        try:
            _tokens(line)
        except ValueError as error:
            raise _unreadable(error) from error


def _tokens(line):
    lexer = shlex.shlex(line, posix=True, punctuation_chars=_OPERATORS)
    lexer.whitespace_split = True
    return list(lexer)


def _unreadable(error):
    return UsageError(f"can't read the command line: {error}")
