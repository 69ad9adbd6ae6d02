"""Scripts by which shells complete the program's commands and flags."""

import dataclasses
import re
import shlex
import textwrap
from collections.abc import Callable, Sequence

PROGRAM = "keras-asymbp"


@dataclasses.dataclass(frozen=True)
class Option:
    """A flag of a command.

    Attributes:
        name: Its name, without the hyphens.
        help: Its description.
        takes_value: Whether a value follows.
        known: Values to choose from.
        is_list: Whether the value is several of them, separated by commas.
        folders: Whether the value is a folder.
        files: Whether the value may also be a file or folder.
    """

    name: str
    help: str
    takes_value: bool = False
    known: tuple[str, ...] = ()
    is_list: bool = False
    folders: bool = False
    files: bool = False

    @property
    def summary(self) -> str:
        """The help's first words, in one row of a terminal."""
        clause = re.split(r"[.:;,] |\.$", self.help)[0]
        return textwrap.shorten(clause, 60, placeholder="…")


@dataclasses.dataclass(frozen=True)
class Command:
    """A command of the program.

    Attributes:
        name: Its name.
        help: Its description.
        options: Its flags.
        words: Arguments to choose from.
        takes_files: Whether its arguments are files.
    """

    name: str
    help: str
    options: tuple[Option, ...]
    words: tuple[str, ...] = ()
    takes_files: bool = False


_BASH = r"""_keras_asymbp() {
    # Bash takes --exp=C2 apart at the equals sign; what is completed is $current.
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local command=${COMP_WORDS[1]} flag= kept= candidates= kind= was_off=
    local IFS=$'\n'
    COMPREPLY=()
    if [[ $current == '=' ]]; then
        flag=$before current=
    elif [[ $before == '=' ]]; then
        flag=${COMP_WORDS[COMP_CWORD-2]}
    elif [[ $current == --*=* ]]; then
        flag=${current%%=*} kept=${current%%=*}= current=${current#*=}
    elif [[ $before == --* ]]; then
        flag=$before
    fi
    if (( COMP_CWORD == 1 )); then
        candidates=$'@COMMANDS@'
    else
        case $command$flag in
@VALUES@
        esac
        if [[ -z $kind ]]; then
            case $command in
@FLAGS@
            esac
        fi
    fi
    if [[ $kind == *list* && $current == *,* ]]; then
        kept=$kept${current%,*}, current=${current##*,}
    fi
    current=${current//\\/}
    shopt -q nocasematch || was_off=1
    shopt -s nocasematch
    local candidate
    for candidate in $candidates; do
        if [[ $candidate == "$current"* ]]; then
            COMPREPLY+=("$kept$(printf %q "$candidate")")
        fi
    done
    [[ $was_off ]] && shopt -u nocasematch
    if [[ $kind == *folder* ]]; then
        COMPREPLY+=($(compgen -d -- "$current"))
        compopt -o filenames 2>/dev/null
    elif [[ $kind == *file* ]]; then
        [[ $kept ]] || COMPREPLY+=($(compgen -f -- "$current"))
    elif [[ ${COMPREPLY[0]} == *= || $kind == *list* ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -F _keras_asymbp @PROGRAM@
"""


def bash(commands: Sequence[Command]) -> str:
    """A script for bash."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for command in commands:
        for option in command.options:
            if option.takes_value:
                key = _lines(option.known), _kind(option)
                kinds.setdefault(key, []).append(f"{command.name}--{option.name}")
    values = [
        f"            {'|'.join(patterns)}) kind={kind} candidates={known};;"
        for (known, kind), patterns in kinds.items()
    ]
    flags = [
        f"                {command.name}) candidates={_lines(_words(command))}"
        f"{' kind=file' if command.takes_files else ''};;"
        for command in commands
    ]
    return _filled(
        _BASH,
        COMMANDS="\\n".join([command.name for command in commands] + ["help"]),
        VALUES="\n".join(values),
        FLAGS="\n".join(flags),
    )


def _kind(option):
    parts = {"list": option.is_list, "folder": option.folders, "file": option.files}
    return "-".join(name for name, has in parts.items() if has) or "value"


def _words(command):
    flags = (f"--{o.name}{'=' * o.takes_value}" for o in command.options)
    return (*command.words, *flags)


def _lines(words: Sequence[str]) -> str:
    return "$'" + "\\n".join(words) + "'"


_ZSH = r"""_keras_asymbp() {
    local -a commands=(
@COMMANDS@
    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    shift words
    (( CURRENT-- ))
    case $words[1] in
@FLAGS@
    esac
}
compdef _keras_asymbp @PROGRAM@
"""


def zsh(commands: Sequence[Command]) -> str:
    """A script for zsh."""
    rows = []
    for command in commands:
        specs = [_zsh(option) for option in command.options]
        if command.words:
            specs.append(f":shell:({' '.join(command.words)})")
        if command.takes_files:
            specs.append("*:file:_files")
        listed = " \\\n            ".join(map(shlex.quote, specs))
        rows.append(f"        {command.name}) _arguments \\\n            {listed};;")
    return _filled(
        _ZSH,
        COMMANDS="\n".join(
            f"        {shlex.quote(f'{command.name}:{command.help}')}"
            for command in commands
        ),
        FLAGS="\n".join(rows),
    )


def _zsh(option):
    about = option.summary.replace("\\", "\\\\")
    for character in "[]:":
        about = about.replace(character, f"\\{character}")
    if not option.takes_value:
        return f"--{option.name}[{about}]"
    names = " ".join(map(shlex.quote, option.known))
    if option.folders:
        action = "_files -/"
    elif option.is_list and option.known:
        action = f"_sequence compadd - {names}"
    elif option.known:
        action = f"compadd {names}"
    else:
        action = " "
    if option.files:
        action = f"{{{action}; _files}}"
    return f"--{option.name}=[{about}]:value:{action}"


def fish(commands: Sequence[Command]) -> str:
    """A script for fish."""
    lines = [f"complete -c {PROGRAM} -e", f"complete -c {PROGRAM} -f"]
    for command in commands:
        lines.append(
            f"complete -c {PROGRAM} -n __fish_use_subcommand -a {command.name} "
            f"-d {_fish_quote(command.help)}"
        )
        seen = f"complete -c {PROGRAM} -n '__fish_seen_subcommand_from {command.name}'"
        if command.words:
            lines.append(f"{seen} -a {_fish_quote(' '.join(command.words))}")
        if command.takes_files:
            lines.append(f"{seen} -F")
        for option in command.options:
            about = f"-d {_fish_quote(option.summary)}"
            lines.append(f"{seen} -l {option.name} {_fish(option)}{about}")
    return "\n".join(lines) + "\n"


def _fish(option):
    if not option.takes_value:
        return ""
    if option.folders:
        return "-x -a '(__fish_complete_directories)' "
    names = " ".join(map(_fish_quote, option.known))
    action = f"printf '%s\\n' {names}"
    if option.is_list:
        action = f"__fish_complete_list , {_fish_quote(action)}"
    known = f"-a {_fish_quote(f'({action})')} " if names else ""
    return f"{'-r -F' if option.files else '-x'} {known}"


def _fish_quote(text):
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _filled(template, **parts):
    for name, text in {"PROGRAM": PROGRAM, **parts}.items():
        template = template.replace(f"@{name}@", text)
    return template


SCRIPTS: dict[str, Callable[[Sequence[Command]], str]] = {
    "bash": bash,
    "zsh": zsh,
    "fish": fish,
}
