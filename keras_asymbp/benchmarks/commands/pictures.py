"""Draws the results of a folder beside the paper's.

    keras-asymbp pictures --results_dir results

Nothing is trained. Writes, as PNG and SVG into the folder's pictures/: our errors
against the paper's (agreement), error against the share of wrong signs (signs), the
effect in each inequality of each claim (claims), and learning curves (curves). If the
folder has several data sets or protocols, each has a numbered folder there.
"""

from typing import TYPE_CHECKING

from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.commands.flags.folders import ResultsFlags as Flags
from keras_asymbp.benchmarks.commands.flags.folders import warn
from keras_asymbp.benchmarks.escaping.printable import one_line

if TYPE_CHECKING:
    from keras_asymbp.benchmarks.results.inventory import Inventory


def main() -> None:
    """The command; ends the process with its exit code."""
    given = Flags()
    program.start(
        lambda: _run(given.inventory()),
        "keras-asymbp pictures",
        __doc__,
        stopped="stopped; run the same command again",
    )


def _run(held: "Inventory") -> int:
    # A missing package is reported before anything is drawn.
    import matplotlib  # noqa: F401

    warn((*held.store.problems, *held.problems))
    if not held.plans():
        raise held.nothing("a picture")
    written = program.write_or_warn(held.store, _write, held)
    return 0 if written else 1


def _write(held):
    from keras_asymbp.benchmarks.pictures import gallery, saving
    from keras_asymbp.benchmarks.tables.labels import labels

    names = labels(held.setups)
    for number, (name, setup) in enumerate(zip(names, held.setups, strict=True), 1):
        folder = held.store.folder / "pictures"
        if len(held.setups) > 1:
            folder /= str(number)
        figures = gallery.draw(held, setup)
        for picture, figure in figures.items():
            saving.save(figure, folder, picture)
        shown = ", ".join(figures) or "no picture"
        print(one_line(f"{name}: {shown} in {folder}"))


if __name__ == "__main__":
    main()
