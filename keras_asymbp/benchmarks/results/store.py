"""Results on disk: a JSON file for each finished trial, written atomically.

Several processes may write into one folder. Existing files are never modified; if a
trial is stored twice, the first result wins.
"""

import hashlib
import json
import os
import pathlib
import re
import reprlib
import stat
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

from keras_asymbp.benchmarks.errors import StoreError, UsageError
from keras_asymbp.benchmarks.escaping.printable import printable
from keras_asymbp.benchmarks.results.atomic import TEMPORARY, write_atomically
from keras_asymbp.benchmarks.results.file_name import file_name
from keras_asymbp.benchmarks.results.record import disbelief
from keras_asymbp.benchmarks.tables.cells import Common, Model, Run, key

# Each converts a file's content to the next version of the format, from version 1 on.
# A change of the format adds one; files are not rewritten. The content is any object of
# JSON whose id is that of its settings: an upgrade leaves alone what it does not know.
UPGRADES: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = ()
_FORMAT = "keras_asymbp.trial"
_SCHEMA = re.compile(rf"{re.escape(_FORMAT)}/([1-9][0-9]{{0,8}})")
# Age from which a temporary file counts as left over.
_LEFT_OVER = 600.0  # seconds
# Size of the largest file that is read: some 50,000 epochs.
_LARGEST = 2**24  # bytes


def trial_id(settings: dict[str, Any]) -> str:
    """The id of a trial: a digest of all its settings."""
    text = json.dumps(settings, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Store:
    """The trials in a results folder.

    A trial is found by its file's content, not by the file's name. A file is believed
    if its record is (see `disbelief`); any other is left alone and listed in
    `problems`. A file gives the version of its format, by default 1. Older versions are
    upgraded when they are read; files of newer versions are listed in `problems`.

    Args:
        folder: The results folder.
        make: Whether to make the folder if it does not exist.

    Raises:
        UsageError: If the folder does not exist and can't be made.

    Attributes:
        problems: A line for each unusable file.
    """

    def __init__(self, folder: str | os.PathLike, make: bool = True):
        self.folder = pathlib.Path(folder)
        self.problems: list[str] = []
        self._trials: dict[str, dict[str, Any]] = {}
        self._models: dict[Common, dict[Model, dict[Run, dict[str, Any]]]] = {}
        self._seen: set[str] = set()
        if not make and not os.path.isdir(self._trials_folder):
            raise UsageError(
                f"no results in {self.folder}: name the folder that has them with "
                "--results_dir, or run an experiment first"
            )
        try:
            self._trials_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        self.refresh()

    @property
    def _trials_folder(self) -> pathlib.Path:
        return self.folder / "trials"

    @property
    def writable(self) -> bool:
        """Whether the folder can be written to."""
        try:
            self.require_writable()
        except UsageError:
            return False
        return True

    def require_writable(self) -> None:
        """Raises UsageError if the folder can't be written to."""
        try:
            tempfile.TemporaryFile(dir=self._trials_folder).close()
        except OSError as error:
            raise self._unwritable(error) from error

    def refresh(self) -> None:
        """Reads the files that other processes have added."""
        for path in sorted(set(self._paths()) - self._seen):
            self._read(pathlib.Path(path))

    def _paths(self):
        """Yields the path of every file; links to folders are not followed."""
        folders = [os.fspath(self._trials_folder)]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
                        else:
                            yield entry.path
            except OSError:
                yield folder  # reading it gives the reason

    def get(self, settings: dict[str, Any]) -> dict[str, Any] | None:
        """Returns the trial with these settings, or None.

        The trial's `file` is its path relative to the results folder.
        """
        return self._trials.get(trial_id(settings))

    def models(self, common: Common) -> Mapping[Model, Mapping[Run, dict[str, Any]]]:
        """The trials of a setup, as `get` returns them; see `tables.cells.key`."""
        return self._models.get(common, {})

    def trials(self) -> list[dict[str, Any]]:
        """All trials, as `get` returns them."""
        return list(self._trials.values())

    def put(self, label: str, trial: dict[str, Any]) -> dict[str, Any]:
        """Stores a finished trial atomically, unless it is stored already.

        Args:
            label: Readable start of the file's name.
            trial: The trial, JSON-able, with `settings` and `result`.

        Returns:
            The trial as `get` returns it: the first one stored with these settings.

        Raises:
            StoreError: If the file can't be written (full disk, read-only folder);
                stored trials are kept.
        """
        schema = f"{_FORMAT}/{_version()}"
        trial = {"schema": schema, "id": trial_id(trial["settings"]), **trial}
        trial["digest"] = _digest(trial)
        stem = f"{file_name(label)}-{trial['id']}"
        text = json.dumps(trial, indent=1, allow_nan=False) + "\n"
        self.refresh()
        number = 1
        # Until a name is free: a broken file of the same name is kept.
        while trial["id"] not in self._trials:
            ending = f".{number}.json" if number > 1 else ".json"
            path = self._trials_folder / (stem + ending)
            try:
                write_atomically(path, text, replace=False)
                self._add(path, trial)
            except FileExistsError:
                self._read(path)
            except OSError as error:
                raise StoreError(
                    f"can't store a result in {self.folder} ({error.strerror}): "
                    "finished trials are kept; mend that and give the same command "
                    "again"
                ) from error
            number += 1
        return self._trials[trial["id"]]

    def _read(self, path: pathlib.Path) -> None:
        if os.fspath(path) in self._seen or self._being_written(path):
            return None
        self._seen.add(os.fspath(path))
        try:
            text = _text(path)
        except FileNotFoundError:
            if path.is_symlink():
                return self._problem(path, "is a link to a file that is missing")
            return None  # removed in the meantime
        except OSError as error:
            return self._problem(path, f"can't be read ({error.strerror})")
        if text is None:
            limit = f"{_LARGEST >> 20} MiB"
            return self._problem(path, f"is no regular file, or larger than {limit}")
        try:
            trial = json.loads(text.decode())
            digest = _digest(trial) if isinstance(trial, dict) else None
        except (ValueError, RecursionError):
            return self._problem(path, "is no JSON: half-written, or not a result")
        if digest is None or not {"schema", "digest"} & trial.keys():
            return self._problem(path, "is no result of this program")
        schema = trial.get("schema", f"{_FORMAT}/1")
        shown = reprlib.repr(schema)
        match = isinstance(schema, str) and _SCHEMA.fullmatch(schema)
        if not match:
            return self._problem(
                path, f"has schema {shown}, which no version of this program wrote"
            )
        version = int(match[1])
        if version > _version():
            return self._problem(
                path,
                f"has schema {shown}, and this version reads up to {_version()}: "
                "update keras-asymbp",
            )
        if trial.get("digest") != digest:
            return self._problem(path, "was changed after it was written")
        if trial.get("id") != trial_id(trial.get("settings")):
            return self._problem(path, "has an id that is not that of its settings")
        for upgrade in UPGRADES[version - 1 :]:
            trial = upgrade(trial)
            trial["id"] = trial_id(trial["settings"])
        if reason := disbelief(trial):
            return self._problem(path, f"is no trial that was run: {reason}")
        first = self._trials.get(trial["id"])
        if first and first["digest"] != digest:
            return self._problem(path, f"is another result of {first['file']}")
        return self._add(path, trial)

    def _being_written(self, path):
        """Whether a file is a temporary one; an old one is a problem, but no result."""
        start, end = TEMPORARY
        if not (path.name.startswith(start) and path.name.endswith(end)):
            return False
        try:
            age = time.time() - path.lstat().st_mtime
        except OSError:
            return True  # renamed in the meantime
        if age > _LEFT_OVER:
            self._seen.add(os.fspath(path))
            self._problem(path, "is left over from a write that was cut short")
        return True

    def _add(self, path, trial):
        self._seen.add(os.fspath(path))
        file = path.relative_to(self.folder).as_posix()
        if trial["id"] not in self._trials:
            trial = self._trials[trial["id"]] = {**trial, "file": file}
            common, model, run = key(trial["settings"])
            models = self._models.setdefault(common, {})
            models.setdefault(model, {}).setdefault(run, trial)

    def _unwritable(self, error):
        return UsageError(
            f"can't write to the results folder {self.folder} ({error.strerror}): "
            "choose another with --results_dir"
        )

    def _problem(self, path: pathlib.Path, reason: str) -> None:
        file, reason = printable(path), printable(reason)
        self.problems.append(f"{file} {reason}; left alone")


def _version():
    """The version of the format in which files are written."""
    return len(UPGRADES) + 1


def _text(path):
    """The content of a file; None if it is none, or too large."""
    # Opening a device can have effects, and opening a pipe waits for its writer.
    found = path.stat()
    if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
        return None
    with open(path, "rb", buffering=0) as file:
        return file.read(found.st_size)  # what grows meanwhile is no JSON


def _digest(trial):
    """The digest of a trial's content, stored in its file.

    Raises:
        ValueError: If a number is not finite, which JSON has no name for.
    """
    content = {key: value for key, value in trial.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
