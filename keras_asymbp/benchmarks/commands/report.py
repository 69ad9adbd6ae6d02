"""Rewrites the reports of a results folder from its trials.

    keras-asymbp report --results_dir results

Nothing is trained. A run may be filling the folder meanwhile: unfinished trials are
shown as missing.
"""

from typing import TYPE_CHECKING

from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.commands.flags.folders import ResultsFlags as Flags
from keras_asymbp.benchmarks.commands.flags.folders import warn
from keras_asymbp.benchmarks.counting import counted
from keras_asymbp.benchmarks.escaping.printable import one_line

if TYPE_CHECKING:
    from keras_asymbp.benchmarks.results.inventory import Inventory


def main() -> None:
    """The command; ends the process with its exit code."""
    given = Flags()
    program.start(
        lambda: _run(given.inventory()),
        "keras-asymbp report",
        __doc__,
        stopped="stopped; run the same command again",
    )


def _run(held: "Inventory") -> int:
    from keras_asymbp.benchmarks.reports import files

    warn((*held.store.problems, *held.problems))
    page = program.write_or_warn(held.store, files.write_all, held)
    if not page:
        return 1
    report = one_line(held.store.folder / "report.html")
    print(
        f"{page.done} of {counted(page.expected, 'trial')} finished; report: {report}"
    )
    return 0


if __name__ == "__main__":
    main()
