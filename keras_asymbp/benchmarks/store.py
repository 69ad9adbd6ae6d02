"""Results on disk: a JSON file for each finished trial, written whole or not at all."""

import hashlib
import json
import os
import pathlib
import re
import tempfile
from typing import Any

from keras_asymbp.benchmarks.errors import UsageError

SCHEMA = "keras_asymbp.trial/1"


def trial_id(settings: dict[str, Any]) -> str:
    """The name of a trial: a digest of all its settings."""
    text = json.dumps(settings, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Store:
    """The trials in a results folder.

    A trial is found by what its file says, not by the file's name. Files that are no
    trials are left alone and named in `problems`.

    Args:
        folder: The results folder.
        make: Whether it is made if it isn't there.

    Raises:
        UsageError: If the folder can't be written to.

    Attributes:
        problems: A line for each file that couldn't be used.
    """

    def __init__(self, folder: str | os.PathLike, make: bool = True):
        self.folder = pathlib.Path(folder)
        self.problems: list[str] = []
        self._trials: dict[str, dict[str, Any]] = {}
        if not make and not self._trials_folder.is_dir():
            raise UsageError(
                f"no results in {self.folder}: name the folder that has them with "
                "--results_dir, or run an experiment first"
            )
        try:
            self._trials_folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self._trials_folder).close()
        except OSError as error:
            raise UsageError(
                f"can't write to the results folder {self.folder} ({error.strerror}): "
                "choose another with --results_dir"
            ) from error
        for path in sorted(self._trials_folder.rglob("*")):
            if path.is_file():
                self._read(path)

    @property
    def _trials_folder(self) -> pathlib.Path:
        return self.folder / "trials"

    def get(self, settings: dict[str, Any]) -> dict[str, Any] | None:
        """Returns the trial with these settings, or None.

        The trial's `file` is where it was read from, relative to the results folder.
        """
        return self._trials.get(trial_id(settings))

    def trials(self) -> list[dict[str, Any]]:
        """All trials, as `get` returns them."""
        return list(self._trials.values())

    def put(self, label: str, trial: dict[str, Any]) -> dict[str, Any]:
        """Stores a finished trial, atomically.

        Args:
            label: Readable start of the file's name.
            trial: JSON-able; must hold `settings` and `result`.

        Returns:
            The trial as `get` returns it.

        Raises:
            UsageError: If the file can't be written (the disk is full, the folder has
                become read-only); what was stored before stays.
        """
        trial = {"schema": SCHEMA, "id": trial_id(trial["settings"]), **trial}
        trial["digest"] = _digest(trial)
        stem = re.sub(r"[^\w.+-]+", "_", label) + "-" + trial["id"]
        path = self._trials_folder / f"{stem}.json"
        number = 1
        while path.exists():  # a broken file of that name, which is left alone
            number += 1
            path = self._trials_folder / f"{stem}.{number}.json"
        try:
            write_atomically(path, json.dumps(trial, indent=1, allow_nan=False) + "\n")
        except OSError as error:
            raise UsageError(
                f"can't store a result in {self.folder} ({error.strerror}): finished "
                "trials are kept; mend that and give the same command again"
            ) from error
        return self._add(path, trial)

    def _read(self, path: pathlib.Path) -> None:
        try:
            trial = json.loads(path.read_text(encoding="utf-8"))
            digest = _digest(trial) if isinstance(trial, dict) else None
        except OSError as error:
            return self._problem(path, f"can't be read ({error.strerror})")
        except (ValueError, RecursionError):
            return self._problem(path, "is no JSON: half-written, or not a result")
        if digest is None or "schema" not in trial:
            return self._problem(path, "is no result of this program")
        if trial["schema"] != SCHEMA:
            return self._problem(
                path, f"has schema {trial['schema']!r}, not {SCHEMA!r}"
            )
        if trial.get("digest") != digest:
            return self._problem(path, "was changed after it was written")
        self._add(path, trial)

    def _add(self, path, trial):
        trial = {**trial, "file": path.relative_to(self.folder).as_posix()}
        self._trials[trial["id"]] = trial
        return trial

    def _problem(self, path: pathlib.Path, what: str) -> None:
        self.problems.append(f"{path} {what}; left alone")


def _digest(trial):
    """What a trial's file says of its own content."""
    content = {key: value for key, value in trial.items() if key != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def write_atomically(path: pathlib.Path, text: str) -> None:
    """Writes a file so that it is there whole or not at all, whatever happens."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        pathlib.Path(temporary).unlink(missing_ok=True)
        raise
