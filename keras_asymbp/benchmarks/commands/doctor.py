"""Looks for what would make runs slow or results wrong.

    keras-asymbp doctor

Prints what it finds, with a hint where something is to be done. The exit code is 1 if
something would make results wrong or keep runs from starting, else 0.
"""

import dataclasses
import glob
import importlib.metadata
import os
import pathlib
import platform
import shutil
from collections.abc import Iterator

from absl import flags

import keras_asymbp
from keras_asymbp.benchmarks import datasets, environment
from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.datasets import prepared, tfds_folder
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.run.executors import base

FINE, SLOW, WRONG = "fine", "slow", "wrong"
_STYLES = {FINE: "green", SLOW: "yellow", WRONG: "bold red"}
_GIB = 2**30
# A process that trains holds TensorFlow and a data set.
_FREE_MEMORY = 2 * _GIB
_FREE_DISK = _GIB // 10


@dataclasses.dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Attributes:
        what: The thing.
        found: How it is.
        state: `FINE`; `SLOW`, if runs would take longer or may break off; `WRONG`, if
            results would be wrong or runs can't start.
        hint: What is to be done, unless it is fine.
    """

    what: str
    found: str
    state: str = FINE
    hint: str = ""


def main() -> None:
    """The command line; ends the process with its exit code."""
    # Here, and not at import: other commands have flags of these names.
    data_dir = flags.DEFINE_string(
        "data_dir",
        None,
        "Folder of data sets prepared by TensorFlow Datasets, instead of its own "
        "default.",
    )
    results_dir = flags.DEFINE_string(
        "results_dir", "results", "Folder that keeps finished trials and reports."
    )
    program.start(
        lambda: _run(data_dir.value, results_dir.value),
        {"__doc__": __doc__, **locals()},
        stopped="stopped",
    )


def _run(data_dir, results_dir) -> int:
    import rich.console
    import rich.table
    import rich.text

    findings = examine(data_dir, results_dir)
    console = rich.console.Console()
    grid = rich.table.Table()
    for heading in ("", "found", "state"):
        grid.add_column(heading, overflow="fold")
    for finding in findings:
        state = rich.text.Text(finding.state, style=_STYLES[finding.state])
        grid.add_row(rich.text.Text(finding.what), rich.text.Text(finding.found), state)
    console.print(grid)
    for finding in findings:
        if finding.state != FINE:
            print(f"{finding.state}: {finding.what}: {finding.found}: {finding.hint}")
    wrong = sum(finding.state == WRONG for finding in findings)
    print(f"wrong: {wrong} of {len(findings)}" if wrong else "nothing is wrong")
    return 1 if wrong else 0


def examine(data_dir: str | None, results_dir: str) -> list[Finding]:
    """Looks at everything; imports TensorFlow, and makes and changes no file.

    Args:
        data_dir: As `--data_dir`.
        results_dir: As `--results_dir`.
    """
    parts = (
        _packages(),
        _cores_and_threads(),
        _memory(),
        _onednn(),
        _tensorflow(),
        _data(data_dir),
        _cache(),
        _results(pathlib.Path(results_dir)),
    )
    return [finding for part in parts for finding in part]


def _packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    yield Finding("keras-asymbp", keras_asymbp.__version__)
    yield Finding("python", platform.python_version())
    try:
        lines = importlib.metadata.requires("keras-asymbp") or []
    except importlib.metadata.PackageNotFoundError:
        yield Finding(
            *("packages", "keras-asymbp is not installed, only found", SLOW),
            "which versions it needs can't be told: pip install it",
        )
        return
    needed = {}
    for line in lines:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": "benchmarks"}):
            needed[requirement.name] = requirement.specifier
    for name, versions in sorted(needed.items()):
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            hint = "pip install 'keras-asymbp[benchmarks]' brings it"
            yield Finding(name, "not installed", WRONG, hint)
            continue
        if versions.contains(version, prereleases=True):
            yield Finding(name, version)
        else:
            hint = f"pip install --upgrade '{name}{versions}'"
            yield Finding(name, f"{version}, not {versions}", WRONG, hint)


def _cores_and_threads() -> Iterator[Finding]:
    cores = environment.cores()
    yield Finding("cores", f"{cores} of {os.cpu_count()}")
    for name in environment.THREADS:
        text = os.environ.get(name)
        if text is None:
            yield Finding(name, "not set: as many as there are cores")
        elif not text.isdecimal():
            yield Finding(name, text, WRONG, "give a whole number, or unset it")
        elif int(text) > cores:
            hint = f"threads wait for each other: unset it, or give {cores} or less"
            yield Finding(name, f"{text} threads on {cores} cores", SLOW, hint)
        else:
            yield Finding(name, text)


def _memory() -> Iterator[Finding]:
    total, free = environment.memory()
    if free is None:
        yield Finding("memory", "not told by this system")
        return
    text = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB free"
    if free < _FREE_MEMORY:
        hint = "processes may be killed: end others, or give fewer --jobs"
        yield Finding("memory", text, SLOW, hint)
    else:
        yield Finding("memory", text)


def _onednn() -> Iterator[Finding]:
    # A run switches it on where the user said nothing.
    value = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1")
    if value.lower() not in ("0", "false"):
        yield Finding("oneDNN", "on")
    else:
        hint = "a run takes up to twice as long: unset TF_ENABLE_ONEDNN_OPTS"
        yield Finding("oneDNN", f"switched off by '{value}'", SLOW, hint)


def _tensorflow() -> Iterator[Finding]:
    backend = os.environ.get("KERAS_BACKEND")
    try:
        import keras
        import tensorflow as tf

        backend = keras.backend.backend()
        policy = keras.config.dtype_policy().name
        order = keras.config.image_data_format()
    except Exception as error:  # whatever a broken installation, or another backend's
        yield Finding(
            *("Keras", base.describe(error), WRONG),
            f"the backend asked for is {backend or 'not said'}: give "
            "KERAS_BACKEND=tensorflow, or install keras and tensorflow anew",
        )
        return
    home = "~/.keras/keras.json, or what KERAS_HOME names instead"
    for what, found, expected, hint in (
        ("Keras backend", backend, "tensorflow", "give KERAS_BACKEND=tensorflow"),
        ("Keras float policy", policy, "float32", f"figures change: see {home}"),
        ("Keras image format", order, "channels_last", f"networks differ: see {home}"),
    ):
        if found == expected:
            yield Finding(what, found)
        else:
            yield Finding(what, f"{found}, not {expected}", WRONG, hint)
    seen = [gpu.name for gpu in tf.config.list_physical_devices("GPU")]
    there = glob.glob("/proc/driver/nvidia/gpus/*")
    if there and not seen:
        yield Finding(
            *("GPU", f"{len(there)} there, none seen by TensorFlow", SLOW),
            "pip install 'tensorflow[and-cuda]', and see that CUDA_VISIBLE_DEVICES "
            "hides none",
        )
    else:
        yield Finding("GPU", ", ".join(seen) or "none")


def _data(data_dir) -> Iterator[Finding]:
    there = []
    for dataset in datasets.DATASETS.values():
        try:
            dataset.version(data_dir)
        except UsageError:
            continue
        there.append(dataset.name)
    yield Finding(
        "data sets",
        f"{len(there)} of {len(datasets.DATASETS)} in "
        f"{tfds_folder.tfds_root(data_dir)} or the package: {', '.join(there)}",
    )


def _cache() -> Iterator[Finding]:
    root = prepared.cache_root()
    broken = list(prepared.damaged(root))
    for folder, reason in broken:
        hint = "delete it, and it is made anew"
        yield Finding("prepared data", f"{folder} ({reason})", WRONG, hint)
    if not broken:
        yield Finding("prepared data", str(root))
    yield from _folder("folder of prepared data", root, "KERAS_ASYMBP_CACHE")


def _results(folder) -> Iterator[Finding]:
    if (folder / "trials").is_dir():
        store = Store(folder, make=False)
        yield Finding("results", f"{len(store.trials())} trials in {folder}")
        for problem in store.problems:
            hint = "a run repeats what it was, if it asks for it"
            yield Finding("results", problem, SLOW, hint)
    yield from _folder("results folder", folder, "--results_dir")


def _folder(what, folder, name) -> Iterator[Finding]:
    """Whether a folder, or what it would be made in, can be written to."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        hint = f"name another folder with {name}"
        yield Finding(what, f"can't write to {place}", WRONG, hint)
        return
    free = shutil.disk_usage(place).free
    text = f"{folder}{'' if place == folder.absolute() else ' (not made yet)'}"
    text += f", {free / _GIB:.1f} GiB free"
    if free < _FREE_DISK:
        yield Finding(what, text, SLOW, f"make room, or name another with {name}")
    else:
        yield Finding(what, text)


if __name__ == "__main__":
    main()
