"""Reads files that the package has not written: data, or an error of one line.

Every reader of such files works inside `guarded`, and opens them with this module. An
error names the file, the reason and the next step.
"""

import contextlib
import io
import json
import os
import pathlib
import re
import stat
from collections.abc import Iterator
from typing import Any

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.escaping.printable import printable

GET_AGAIN = "get it again"
# Of files that TFDS has prepared; it leaves an existing folder as it is.
PREPARE_AGAIN = "delete its folder and prepare the data set again"
# Files that are read as a whole: images, lists, descriptions.
_MOST = 2**30
# Characters of no text, except tabs, line breaks and page breaks.
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
# Objects of Python and of TensorFlow, which tell the user nothing.
_OBJECT = re.compile(r"<[^<>]+ object at 0x\w+>|\{\{.*?\}\}")
# An error's own words, in a message of one line.
_WORDS = 200
_KINDS = (
    (stat.S_ISDIR, "it is a folder, not a file"),
    (stat.S_ISFIFO, "it is a named pipe, not a file"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (stat.S_ISCHR, "it is a device, not a file"),
    (stat.S_ISBLK, "it is a device, not a file"),
)


@contextlib.contextmanager
def guarded(path: object, step: str = GET_AGAIN) -> Iterator[None]:
    """Turns whatever a reader raises into an error of one line.

    Args:
        path: The file or folder that is read.
        step: What the user can do about it.

    Raises:
        UsageError: If the reader raises anything; its own UsageErrors pass unchanged.
    """
    try:
        yield
    except UsageError:
        raise
    except Exception as error:  # parsers of files raise errors of any type
        raise unreadable(path, reason(error), step) from error


def unreadable(path: object, reason: str, step: str = GET_AGAIN) -> UsageError:
    """The error for a file or a folder that can't be read."""
    return UsageError(f"can't read {path} ({reason}): {step}")


def reason(error: BaseException) -> str:
    """An error's own reason, short and in one line."""
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    if isinstance(error, KeyError):
        return f"it has no {error}"
    own = error.strerror if isinstance(error, OSError) else None
    lines = (own or str(error)).strip().splitlines() or [type(error).__name__]
    return printable(_OBJECT.sub("", lines[0]).strip().rstrip(":.").strip())[:_WORDS]


def text_of(name: str) -> str:
    """The name of a file as a text, which can be stored: UTF-8, else Latin-1."""
    content = os.fsencode(name)
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def check_regular(
    path: str | os.PathLike[str], step: str = GET_AGAIN
) -> os.stat_result:
    """Refuses what is no regular file: to open a pipe, for example, may take forever.

    Returns:
        The state of the file.

    Raises:
        UsageError: If it is none, or there is nothing at the path.
    """
    with guarded(path, step):
        try:
            state = os.stat(path)
        except FileNotFoundError:
            if not os.path.islink(path):
                raise
            target = os.readlink(path)
            words = f"it is a link to {target}, which is missing"
            raise unreadable(path, words, step) from None
    for is_kind, words in _KINDS:
        if is_kind(state.st_mode):
            raise unreadable(path, words, step)
    return state


@contextlib.contextmanager
def opened(
    path: str | os.PathLike[str], step: str = GET_AGAIN
) -> Iterator[io.BufferedReader]:
    """Opens a file to read bytes, and guards what is done with it.

    Raises:
        UsageError: If it is no regular file, or can't be read.
    """
    check_regular(path, step)
    with guarded(path, step), open(path, "rb") as file:
        yield file


def read_bytes(path: str | os.PathLike[str], step: str = GET_AGAIN) -> bytes:
    """The content of a file.

    Raises:
        UsageError: If it can't be read, or is larger than 1 GiB.
    """
    with opened(path, step) as file:
        size = os.fstat(file.fileno()).st_size
        if size > _MOST:
            raise unreadable(path, f"it has {size} bytes, more than {_MOST}", step)
        return file.read()


def read_text(path: str | os.PathLike[str], step: str = GET_AGAIN) -> str:
    """The text in a file: UTF-8, else Latin-1, in which every byte is a letter.

    Raises:
        UsageError: If it can't be read, or has control characters, as other encodings
            and binary files do.
    """
    content = read_bytes(path, step)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if _CONTROL.search(text):
        raise unreadable(path, "it is no text in UTF-8 or Latin-1", step)
    return text


def read_json(path: str | os.PathLike[str], step: str = GET_AGAIN) -> Any:
    """The content of a JSON file.

    Raises:
        UsageError: If it can't be read, or is no JSON.
    """
    content = read_bytes(path, step)
    with guarded(path, step):
        return json.loads(content)


def files(folder: str | os.PathLike[str], step: str = GET_AGAIN) -> list[pathlib.Path]:
    """All files in a folder and its folders, sorted; links are followed.

    Hidden ones are left out, as are those that macOS adds to archives.

    Raises:
        UsageError: If a folder can't be read, or a link leads back into itself.
    """

    def refuse(error):
        raise error

    found = []
    with guarded(folder, step):
        for parent, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
            folders[:] = [name for name in folders if not is_hidden(name)]
            for name in folders:
                inner = os.path.join(parent, name)
                if os.path.islink(inner) and os.path.realpath(inner) in _around(inner):
                    raise unreadable(inner, "it is a link to a folder it is in", step)
            found += [pathlib.Path(parent, n) for n in names if not is_hidden(n)]
    return sorted(found)


def check_entries(folder: pathlib.Path, step: str = GET_AGAIN) -> None:
    """Refuses a folder in which something is neither a file nor a folder.

    It is for folders whose files another package opens.

    Raises:
        UsageError: If there is, or the folder can't be read.
    """
    with guarded(folder, step):
        for path in sorted(folder.iterdir()):
            if not path.is_dir():
                check_regular(path, step)


def _around(path):
    """The folders that a path leads through, with links resolved."""
    return {
        os.path.realpath(parent) for parent in pathlib.Path(path).absolute().parents
    }


def is_hidden(name: str) -> bool:
    """Whether a file or folder belongs to the operating system, not to the data."""
    return name.startswith(".") or name == "__MACOSX"
