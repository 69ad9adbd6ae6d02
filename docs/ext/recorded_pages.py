"""Makes the pages of the recorded results, which the site has under `recorded/NAME/`.

The repository keeps the trials of a recorded folder and their tables in Markdown. The
rest, `report.html`, the pictures and the files for LaTeX and pandas, is made from the
trials here, by the commands that make them for any results folder.
"""

import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from recorded_folders import DEPTH_FLAGS, RATES, RESULTS, ROOT, names

PROGRAM = "keras_asymbp.benchmarks.commands.subcommands"


def on_files(files, config):
    """Called by MkDocs with the files of the site: adds those of the recorded folders.

    Links to files of the site are checked by the strict build.
    """
    from mkdocs.structure.files import File

    folder = _all()
    for path in sorted(folder.rglob("*")):
        # MkDocs would make a page of a Markdown file.
        if path.is_file() and path.suffix != ".md":
            name = path.relative_to(folder.parent).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def make(name, folder):
    """Copies the trials of a recorded folder, and writes the reports on them.

    Args:
        name: The recorded folder.
        folder: The folder for its copy, as a `pathlib.Path`.

    Returns:
        The copy.
    """
    copy = folder / name
    shutil.copytree(RESULTS / name / "trials", copy / "trials")
    results_dir = f"--results_dir={copy}"
    if (RESULTS / name / "ablation.md").is_file():
        _write_ablation(copy)
        return copy
    rates = ",".join(map(str, RATES.get(name, ())))
    flags = [f"--learning_rates={rates}"] if rates else []
    if (RESULTS / name / "depth.md").is_file():
        _run(PROGRAM, "depth", "--notrain", results_dir, *DEPTH_FLAGS[name], *flags)
    for subcommand in ("report", "pictures"):
        _run(PROGRAM, subcommand, results_dir, *flags)
    return copy


def _write_ablation(folder):
    """Writes the table of the ablation, whose trials are in no other table."""
    from keras_asymbp.benchmarks.ablation import study
    from keras_asymbp.benchmarks.results import store

    lines = study.of_folder(store.Store(folder, make=False))
    (folder / "ablation.md").write_text(study.text(lines), encoding="utf-8")


@functools.cache  # `mkdocs serve` builds the site after every change
def _all():
    temporary = pathlib.Path(_temporary().name)
    for name in names():
        make(name, temporary / "recorded")
    return temporary / "recorded"


@functools.cache
def _temporary():
    return tempfile.TemporaryDirectory()  # removed when the process ends


def _run(*arguments):
    subprocess.run(
        [sys.executable, "-m", *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        stdout=subprocess.DEVNULL,
        check=True,
    )
