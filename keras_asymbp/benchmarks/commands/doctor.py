"""Looks for causes of slow runs or wrong results.

    keras-asymbp doctor

Prints its findings, each problem with a hint. The exit code is 1 if a problem makes
results wrong or keeps runs from starting, else 0.
"""

import contextlib
import glob
import logging
import os
import pathlib
import shutil
import sys
import warnings
from collections.abc import Iterator

from keras_asymbp.benchmarks import datasets, environment
from keras_asymbp.benchmarks.commands import packages, program
from keras_asymbp.benchmarks.commands.finding import (
    ABSENT,
    FINE,
    SLOW,
    WRONG,
    Finding,
)
from keras_asymbp.benchmarks.commands.flags.folders import FolderFlags as Flags
from keras_asymbp.benchmarks.counting import counted
from keras_asymbp.benchmarks.datasets import prepared, tfds_folder
from keras_asymbp.benchmarks.datasets.reading import description, shards
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.escaping.printable import one_line
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.run.executors import base

_STYLES = {FINE: "green", ABSENT: "dim", SLOW: "yellow", WRONG: "bold red"}
_GIB = 2**30
# A process that trains holds the backend and a data set.
_FREE_MEMORY = 2 * _GIB
_FREE_DISK = _GIB // 10


def main() -> None:
    """The command; ends the process with its exit code."""
    given = Flags()
    program.start(
        lambda: _run(given.data_dir.value, given.results_dir.value),
        "keras-asymbp doctor",
        __doc__,
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
        grid.add_row(
            rich.text.Text(one_line(finding.subject)),
            rich.text.Text(one_line(finding.found)),
            state,
        )
    console.print(grid)
    for finding in findings:
        if finding.state != FINE:
            about = f"{finding.subject}: {finding.found}: {finding.hint}"
            print(one_line(f"{finding.state}: {about}"))
    wrong = sum(finding.state == WRONG for finding in findings)
    print(f"wrong: {wrong} of {len(findings)}" if wrong else "nothing is wrong")
    return 1 if wrong else 0


def examine(data_dir: str | None, results_dir: str) -> list[Finding]:
    """Examines everything; imports Keras, and writes no file.

    Args:
        data_dir: As `--data_dir`.
        results_dir: As `--results_dir`.
    """
    extra = packages.has_extra()
    parts = [
        packages.findings(extra),
        _cores_and_threads(),
        _memory(),
        _onednn(),
        _keras(),
    ]
    if extra:
        folder = pathlib.Path(results_dir)
        parts += [_settings(), _data(data_dir), _cache(), _results(folder)]
    return [finding for part in parts for finding in part]


def _cores_and_threads() -> Iterator[Finding]:
    cores = environment.cores()
    yield Finding("cores", f"{cores} of {os.cpu_count()}")
    names = environment.THREADS.get(environment.backend(), ())
    given = {name: os.environ[name] for name in names if name in os.environ}
    if not given:
        yield Finding("threads", "one per core")
    for name, text in given.items():
        if not text.isdecimal():
            yield Finding(name, text, WRONG, "set a whole number, or unset it")
        elif int(text) > cores:
            hint = f"threads wait for each other: unset it, or set {cores} or less"
            yield Finding(name, f"{text} threads on {cores} cores", SLOW, hint)
        else:
            yield Finding(name, text)


def _memory() -> Iterator[Finding]:
    total, free = environment.memory()
    if free is None:
        yield Finding("memory", "unknown on this system")
        return
    text = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB free"
    if free < _FREE_MEMORY:
        hint = "processes may be killed: close others, or lower --jobs"
        yield Finding("memory", text, SLOW, hint)
    else:
        yield Finding("memory", text)


def _onednn() -> Iterator[Finding]:
    # A run switches it on unless the user has set the variable.
    value = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1")
    if value.lower() not in ("0", "false"):
        yield Finding("oneDNN", "on")
    else:
        hint = "a run takes up to twice as long: unset TF_ENABLE_ONEDNN_OPTS"
        yield Finding("oneDNN", f"switched off by '{value}'", SLOW, hint)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silences libraries that are imported; the guard does so for C++ code."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _keras() -> Iterator[Finding]:
    backend = environment.backend()
    try:
        with _quiet():
            import keras  # noqa: F401

            from keras_asymbp.benchmarks.training import device

            accelerator = device.accelerator()
    except Exception as error:  # A broken installation can raise anything.
        yield Finding(
            *("Keras", base.describe(error), WRONG),
            f"the configured backend is {backend}: set KERAS_BACKEND="
            f"{' or '.join(environment.BACKENDS)}, or reinstall keras and the backend",
        )
        return
    yield _expected(
        *("Keras backend", backend, environment.BACKENDS),
        f"set KERAS_BACKEND={environment.BACKENDS[0]}",
    )
    if backend not in environment.BACKENDS:
        return
    present = glob.glob("/proc/driver/nvidia/gpus/*")
    if present and not accelerator:
        package = {"tensorflow": "tensorflow[and-cuda]", "jax": "jax[cuda13]"}[backend]
        yield Finding(
            *("GPU", f"{len(present)} present, none seen by {backend}", SLOW),
            f"pip install '{package}', and check that CUDA_VISIBLE_DEVICES does not "
            "hide them",
        )
    else:
        yield Finding("GPU", accelerator or "none")


def _settings() -> Iterator[Finding]:
    """Settings of Keras that change figures."""
    keras = sys.modules.get("keras")
    if keras is None:  # it can't be imported
        return
    home = "keras.json in ~/.keras, or in KERAS_HOME if that is set"
    policy = keras.config.dtype_policy().name
    order = keras.config.image_data_format()
    yield _expected(
        "Keras float policy", policy, ("float32",), f"figures change: see {home}"
    )
    yield _expected(
        "Keras image format", order, ("channels_last",), f"networks differ: see {home}"
    )


def _expected(subject, found, expected, hint) -> Finding:
    if found in expected:
        return Finding(subject, found)
    return Finding(subject, f"{found}, not {' or '.join(expected)}", WRONG, hint)


def _data(data_dir) -> Iterator[Finding]:
    root = tfds_folder.tfds_root(data_dir)
    available = []
    for dataset in datasets.DATASETS.values():
        try:
            dataset.version(data_dir)
        except UsageError:  # of what is there, `_shards` finds the damage
            continue
        available.append(dataset.name)
    yield Finding(
        "data sets",
        f"{len(available)} of {len(datasets.DATASETS)} in {root} or "
        f"the package: {', '.join(available)}",
    )
    yield from _shards(root)


def _shards(root) -> Iterator[Finding]:
    """Compares the files of each prepared data set with their description."""
    infos = [*root.glob("*/*/dataset_info.json"), *root.glob("*/*/*/dataset_info.json")]
    for info in sorted(infos):
        try:
            for split in description.splits(info.parent):
                shards.check(info.parent, split)
        except UsageError as error:
            yield _wrong("prepared data set", error)


def _wrong(subject, error):
    """The finding for a file that can't be read: the remedy ends its message."""
    found, _, hint = str(error).rpartition(": ")
    return Finding(subject, found, WRONG, hint)


def _cache() -> Iterator[Finding]:
    root = prepared.cache_root()
    damaged = list(prepared.damaged(root))
    for error in damaged:
        yield _wrong("prepared data", error)
    if not damaged:
        yield Finding("prepared data", str(root))
    yield from _folder("folder of prepared data", root, "KERAS_ASYMBP_CACHE")


def _results(folder) -> Iterator[Finding]:
    if os.path.isdir(folder / "trials"):
        store = Store(folder, make=False)
        yield Finding("results", f"{counted(len(store.trials()), 'trial')} in {folder}")
        for problem in store.problems:
            hint = "it is ignored, and its trial is run again when needed"
            yield Finding("results", problem, SLOW, hint)
    yield from _folder("results folder", folder, "--results_dir")


def _folder(subject, folder, name) -> Iterator[Finding]:
    """Whether a folder, or its nearest existing parent, can be written to.

    Args:
        subject: The subject of the finding.
        folder: The folder.
        name: The flag or variable that names it.
    """
    existing = folder.absolute()
    while not os.path.exists(existing) and existing != existing.parent:
        existing = existing.parent
    if not os.path.isdir(existing) or not os.access(existing, os.W_OK | os.X_OK):
        hint = f"choose another folder with {name}"
        yield Finding(subject, f"can't write to {existing}", WRONG, hint)
        return
    free = shutil.disk_usage(existing).free
    text = f"{folder}{'' if existing == folder.absolute() else ' (not made yet)'}"
    text += f", {free / _GIB:.1f} GiB free"
    if free < _FREE_DISK:
        yield Finding(subject, text, SLOW, f"free space, or choose another with {name}")
    else:
        yield Finding(subject, text)


if __name__ == "__main__":
    main()
