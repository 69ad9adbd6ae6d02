"""The user's own experiments in a results folder, so that it can be reported alone.

Each is a JSON file in `experiments/`, named after the experiment. The last run of an
experiment decides what it is; its trials are found by their settings, as always.
"""

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
        path = _folder(folder) / f"{file_name(each.name)}.json"
        path.parent.mkdir(exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_atomically(path, text)


def read(folder: pathlib.Path) -> tuple[list[Experiment], list[str]]:
    """The user's experiments of a results folder, and a line for each unusable file."""
    found: dict[str, Experiment] = {}
    problems = []
    try:
        names = sorted(os.listdir(_folder(folder)))
    except FileNotFoundError:
        return [], []
    except OSError as error:
        reason = f"can't be read ({error.strerror})"
        return [], [f"{printable(_folder(folder))} {reason}; left alone"]
    for name in names:
        if name.startswith(TEMPORARY[0]) and name.endswith(TEMPORARY[1]):
            continue
        path = _folder(folder) / name
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


def _read(path):
    if foreign.check_regular(path).st_size > _LARGEST:
        raise definition.Fault(f"it is larger than {_LARGEST >> 20} MiB")
    content = foreign.read_json(path)
    if not isinstance(content, dict) or content.get("schema") != _SCHEMA:
        raise definition.Fault(f"it has no schema {_SCHEMA}")
    del content["schema"]
    file = content.pop("file", None)
    if type(file) is not str or not file:
        raise definition.Fault("it names no file")
    return definition.experiment(content, file)
