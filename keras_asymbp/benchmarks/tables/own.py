"""The user's own experiments, each a YAML or Python file."""

import os
import pathlib
import runpy
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from keras_asymbp._names import cased
from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.tables import experiments
from keras_asymbp.benchmarks.tables.experiments import Experiment

ENDINGS = (".yaml", ".yml", ".py")
# A table has some hundred bytes a column.
_LARGEST = 2**20  # bytes
_CORRECT = "correct the file and run the same command again"
_GIVE = f"give a table as a file that ends in {', '.join(ENDINGS)}"
# The name in a Python file.
_VARIABLE = "experiment"


def find(names: Sequence[str]) -> tuple[Experiment, ...]:
    """The experiments with these names or in these files, without repetition.

    Args:
        names: Names of the package's experiments, "all" for all of the paper's, or
            paths of files.

    Raises:
        UsageError: If no experiment has a name, a file has none, or two files have
            experiments of the same name.
    """
    known = (*experiments.ALL, "all")
    found: dict[Experiment, None] = {}
    for name in names:
        if is_path(name):
            found[read(name)] = None
        else:
            found |= dict.fromkeys(experiments.get_all([cased(name, known)]))
    by_name: dict[str, Experiment] = {}
    for each in found:
        other = by_name.setdefault(each.name.casefold(), each)
        if other != each:
            raise UsageError(
                f"two files name their table '{each.name}', {other.file} and "
                f"{each.file}: give one of them another name"
            )
    return tuple(found)


def is_path(name: str) -> bool:
    """Whether a value of `--exp` is a path, not a name."""
    return name.lower().endswith(ENDINGS) or "/" in name


def read(name: str) -> Experiment:
    """Reads the experiment in a file.

    A YAML file has the fields of `Experiment` and `Column`; see `definition`. A Python
    file assigns an `Experiment` to the name `experiment`; it is executed.

    Args:
        name: The path, as typed.

    Raises:
        UsageError: If the file has none: the file, the place in it, and the next step.
    """
    # PyYAML is in an extra, and the package's own tables do without.
    from keras_asymbp.benchmarks.tables import definition, yaml_text

    path = pathlib.Path(os.path.expanduser(name))
    size = foreign.check_regular(path, _GIVE).st_size
    if path.suffix.lower() not in ENDINGS:
        raise foreign.unreadable(name, "it is no YAML and no Python file", _GIVE)
    if size > _LARGEST:
        words = f"it has {size} bytes, more than {_LARGEST}"
        raise foreign.unreadable(name, words, _GIVE)
    try:
        content = foreign.read_bytes(path, _GIVE).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        words = f"line {line}: it is no text in UTF-8"
        raise faulty(name, words) from error
    is_python = path.suffix.lower() == ".py"
    try:
        fields = _executed(path) if is_python else yaml_text.load(content)
        return definition.experiment(fields, name)
    except definition.Fault as fault:
        raise faulty(name, str(fault)) from fault


def faulty(name: str, fault: str) -> UsageError:
    """The error for a file with a fault."""
    return foreign.unreadable(name, fault, _CORRECT)


def _executed(path: pathlib.Path) -> dict[str, Any]:
    """The definition in a Python file, which may import from its folder."""
    from keras_asymbp.benchmarks.tables import definition

    folder = os.path.abspath(path.parent)
    known = set(sys.modules)
    sys.path.insert(0, folder)
    try:
        names = runpy.run_path(os.fspath(path), run_name=path.stem)
        defined = names.get(_VARIABLE)
        if isinstance(defined, Experiment):
            return definition.fields(defined)
    except (KeyboardInterrupt, definition.Fault):
        raise
    except BaseException as error:  # the user's code may also call sys.exit
        raise definition.Fault(_where(path, error)) from error
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
        # Another folder's table may import other modules of the same names.
        for name in _beside(folder, sys.modules.keys() - known):
            del sys.modules[name]
    words = "is missing" if defined is None else f"is of type {type(defined).__name__}"
    reason = f"the variable '{_VARIABLE}' {words}, expected an Experiment"
    raise definition.Fault(reason)


def _beside(folder, names):
    """Those of the modules that lie in a folder itself, and their submodules.

    A folder of packages further down, such as a virtual environment's, is left alone.
    """
    here = set()
    for name in names:
        places = f"{name}.py", os.path.join(name, "__init__.py")
        file = getattr(sys.modules[name], "__file__", None)
        if file in [os.path.join(folder, place) for place in places]:
            here.add(name)
    return [name for name in names if name.partition(".")[0] in here]


def _where(path, error):
    """The line and the reason of an error in a Python file."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == os.fspath(path)
    ]
    if isinstance(error, SyntaxError):
        is_here = error.filename in (os.fspath(path), None)
        line, words = error.lineno if is_here else None, error.msg
    else:
        line, words = lines[-1] if lines else None, foreign.reason(error)
    kind = type(error).__name__
    text = f"{kind}: {words}" if words not in (None, "", kind) else kind
    return f"line {line}: {text}" if line else text
