"""Draws the results of a folder beside the paper's.

    keras-asymbp pictures --results_dir results

Nothing is trained. Writes, as PNG and SVG into the folder's pictures/: our errors
against the paper's (agreement), error against the share of wrong signs (signs), the
effect in each inequality of each claim (claims), and learning curves (curves). If the
folder has several data sets or protocols, each has a numbered folder there.
"""

import sys

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.commands.flags import (
    define_data_dir,
    define_own_datasets,
    define_results_dir,
    define_searched_rates,
    learning_rates,
)
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.escaping.printable import one_line


def main() -> None:
    """The command; ends the process with its exit code."""
    names, rates = define_own_datasets(), define_searched_rates()
    data_dir, results_dir = define_data_dir(), define_results_dir()
    program.start(
        lambda: _run(results_dir.value, names.value, data_dir.value, rates.value),
        __doc__,
        stopped="stopped; run the same command again",
    )


def _run(results_dir, names, data_dir, rates) -> int:
    named = {d.name: d for d in (datasets.get(name, data_dir) for name in names)}
    # A missing package is reported before anything is drawn.
    import matplotlib  # noqa: F401

    from keras_asymbp.benchmarks.results import inventory, store

    results = store.Store(results_dir, make=False)
    searched = None if rates is None else learning_rates(rates)
    held = inventory.take(results, named, searched)
    if not held.setups:
        raise UsageError(
            f"no finished trial in {results.folder} that a picture can show: run an "
            "experiment first, or name your own data sets with --datasets"
        )
    for problem in (*results.problems, *held.problems):
        print(one_line(f"warning: {problem}"), file=sys.stderr)
    written = program.write_or_warn(results, _write, held)
    return 0 if written else 1


def _write(held):
    from keras_asymbp.benchmarks.pictures import gallery, saving

    for number, setup in enumerate(held.setups, start=1):
        folder = held.store.folder / "pictures"
        if len(held.setups) > 1:
            folder /= str(number)
        figures = gallery.draw(held, setup)
        for name, figure in figures.items():
            saving.save(figure, folder, name)
        shown = ", ".join(figures) or "no picture"
        epochs = setup.protocol.epochs
        print(one_line(f"{setup.dataset.name}, {epochs} epochs: {shown} in {folder}"))


if __name__ == "__main__":
    main()
