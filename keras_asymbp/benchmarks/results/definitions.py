"""The user's own experiments in a results folder, so that it can be reported alone.

Each is a JSON file in `experiments/`, named after the experiment. The last run of an
experiment decides what it is; its trials are found by their settings, as always.
"""

import contextlib
import itertools
import json
import os
import pathlib
from collections.abc import Iterable

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.escaping.printable import printable
from keras_asymbp.benchmarks.results.atomic import TEMPORARY, write_atomically
from keras_asymbp.benchmarks.results.file_name import file_name
from keras_asymbp.benchmarks.tables import definition
from keras_asymbp.benchmarks.tables.experiments import Experiment

_SCHEMA = "keras_asymbp.experiment/1"
_LARGEST = 2**20  # bytes; as a user's file
_RUN_AGAIN = "delete it, and run its table again to have it back"


def keep(folder: pathlib.Path, experiments: Iterable[Experiment]) -> None:
    """Writes the experiments that users have defined into a results folder.

    Args:
        folder: The results folder.
        experiments: Experiments; those of the package are left out.

    Raises:
        OSError: If one can't be written.
    """
    for each in experiments:
        if each.file is None:
            continue
        content = {
            "schema": _SCHEMA,
            "file": each.file,
            **definition.fields(each),
        }
        text = json.dumps(content, indent=1, allow_nan=False) + "\n"
        _folder(folder).mkdir(exist_ok=True)
        path = _file_of(each.name, _folder(folder))
        if not path.exists() or path.read_bytes() != text.encode():
            write_atomically(path, text)


def read(folder: pathlib.Path) -> tuple[list[Experiment], list[str]]:
    """The user's experiments of a results folder, and a line for each unusable file."""
    found: dict[str, Experiment] = {}
    problems = []
    try:
        paths = _files(_folder(folder))
    except FileNotFoundError:
        return [], []
    except OSError as error:
        reason = f"can't be read ({error.strerror})"
        return [], [f"{printable(_folder(folder))} {reason}; left alone"]
    for path in paths:
        try:
            each = _read(path)
            if each.name.casefold() in found:
                raise definition.Fault(f"another file has '{each.name}', too")
        except (definition.Fault, UsageError) as error:
            problems.append(f"{printable(path)}: {printable(error)}; left alone")
        else:
            found[each.name.casefold()] = each
    return list(found.values()), problems


def _folder(folder):
    return pathlib.Path(folder) / "experiments"


def _files(folder):
    """The files of a folder, except for those that are being written."""
    start, end = TEMPORARY
    names = sorted(os.listdir(folder))
    return [folder / n for n in names if not (n.startswith(start) and n.endswith(end))]


def _file_of(name, folder):
    """The file that has an experiment, else a new one: two names may share a stem."""
    for path in _files(folder):
        with contextlib.suppress(definition.Fault, UsageError):
            if _read(path).name.casefold() == name.casefold():
                return path
    stem = file_name(name)
    numbers = itertools.count(2)
    path = folder / f"{stem}.json"
    while os.path.lexists(path):
        path = folder / f"{stem}-{next(numbers)}.json"
    return path


def _read(path):
    if foreign.check_regular(path, _RUN_AGAIN).st_size > _LARGEST:
        raise definition.Fault(f"it is larger than {_LARGEST >> 20} MiB")
    content = foreign.read_json(path, _RUN_AGAIN)
    if not isinstance(content, dict) or content.get("schema") != _SCHEMA:
        raise definition.Fault(f"it has no schema {_SCHEMA}")
    del content["schema"]
    file = content.pop("file", None)
    if type(file) is not str or not file:
        raise definition.Fault("it names no file")
    return definition.experiment(content, file)
