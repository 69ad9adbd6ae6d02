"""Rewrites the reports of a results folder from its trials.

    keras-asymbp report --results_dir results

Nothing is trained. A run may be filling the folder meanwhile: unfinished trials are
shown as missing.
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
    from keras_asymbp.benchmarks.reports import files
    from keras_asymbp.benchmarks.results import inventory, store

    results = store.Store(results_dir, make=False)
    held = inventory.take(
        results, named, None if rates is None else learning_rates(rates)
    )
    page = program.write_or_warn(results, files.write_all, held)
    for problem in (*results.problems, *(page.problems if page else ())):
        print(one_line(f"warning: {problem}"), file=sys.stderr)
    if not page:
        return 1
    report = one_line(results.folder / "report.html")
    print(f"{page.done} of {page.expected} trials finished; report: {report}")
    return 0


if __name__ == "__main__":
    main()
