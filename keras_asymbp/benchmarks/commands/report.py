"""Writes the reports of a results folder anew, from the trials that are in it.

    keras-asymbp report --results_dir results

Nothing is trained. A run may be filling the folder meanwhile: what isn't finished yet
is shown as missing.
"""

import sys

from absl import flags

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.commands import program


def main() -> None:
    """The command line; ends the process with its exit code."""
    # Here, and not at import: other commands have flags of these names.
    results_dir = flags.DEFINE_string(
        "results_dir", "results", "Folder that has the finished trials."
    )
    names = flags.DEFINE_list(
        "datasets",
        [],
        "Data sets of your own that the results are on, as the run had them: paths or "
        "names of TFDS; those of the package need not be named.",
    )
    data_dir = flags.DEFINE_string(
        "data_dir",
        None,
        "Folder of data sets prepared by TensorFlow Datasets, instead of its own "
        "default.",
    )
    program.start(
        lambda: _run(results_dir.value, names.value, data_dir.value),
        {"__doc__": __doc__, **locals()},
        stopped="stopped; the same command writes the reports anew",
    )


def _run(results_dir, names, data_dir) -> int:
    named = {d.name: d for d in (datasets.get(name, data_dir) for name in names)}
    from keras_asymbp.benchmarks.reports import files
    from keras_asymbp.benchmarks.results import inventory, store

    results = store.Store(results_dir, make=False)
    held = inventory.take(results, named)
    page = program.write(results, files.write_all, held)
    for problem in (*results.problems, *(page.problems if page else ())):
        print(f"warning: {problem}", file=sys.stderr)
    if not page:
        return 1
    print(
        f"{page.done} of {page.expected} trials finished; report: "
        f"{results.folder / 'report.html'}"
    )
    return 0


if __name__ == "__main__":
    main()
