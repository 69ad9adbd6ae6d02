"""A file of measurements: its source stands first, then its figures.

The source is `command`, `date`, `versions` and `machine`, and the fields that a program
adds of its own. A file that `read` takes has its figures in `rows`.
"""

import datetime
import json
import pathlib
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.errors import UsageError

# A file, as read from JSON.
Record = Mapping[str, Any]


def describe(**fields: Any) -> dict[str, Any]:
    """The command of this process, the date, other fields, and the environment."""
    return {
        "command": shlex.join(["python", *sys.orig_argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **fields,
        **environment.describe(),
    }


def text(record: Record) -> str:
    """The text of a file."""
    return json.dumps(record, indent=1, allow_nan=False) + "\n"


def write(record: Record, path: str) -> None:
    """Writes a file; `read` takes one with `rows`.

    Raises:
        UsageError: If it can't be written.
    """
    try:
        pathlib.Path(path).write_text(text(record), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"can't write {path}: {error.strerror}") from error


def read(path: str) -> dict[str, Any]:
    """A file of measurements.

    Raises:
        UsageError: If it can't be read, or is a file of another kind.
    """
    try:
        record = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"can't read {path}: {error}") from error
    if not isinstance(record, dict) or not isinstance(record.get("rows"), list):
        raise UsageError(f"{path} has no measurements: give a file made by --json")
    return record
