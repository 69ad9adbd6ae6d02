"""Checks the paper's claims on a results folder.

    keras-asymbp claims --results_dir results

Nothing is trained. Prints, for each data set and protocol, which claims hold, and
writes the same into claims.md in the results folder, with the evidence: the interval
of each inequality, and the rank correlation with the paper's tables.
"""

import sys
from collections.abc import Sequence

from absl import flags

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.commands.flags import define_data_dir, define_results_dir
from keras_asymbp.benchmarks.escaping.printable import one_line


def main() -> None:
    """The command; ends the process with its exit code."""
    names = flags.DEFINE_list(
        "datasets",
        None,
        "Data sets to check, separated by commas, named as in the run; by default all "
        "of the package that have results.",
    )
    data_dir, results_dir = define_data_dir(), define_results_dir()
    program.start(
        lambda: check(results_dir.value, names.value, data_dir.value),
        __doc__,
        stopped="stopped; run the same command again",
    )


def check(results_dir: str, names: Sequence[str] | None, data_dir: str | None) -> int:
    """Prints and writes the verdict on each claim; returns the exit code.

    Args:
        results_dir: The results folder.
        names: Data sets to check, as `datasets.get` takes them; None for every one of
            the package's that has results.
        data_dir: Folder of the prepared data sets.

    Raises:
        UsageError: If the folder has no results, or a data set is unknown.
    """
    import rich.console

    from keras_asymbp.benchmarks.reports import files, terminal
    from keras_asymbp.benchmarks.results import aggregates, assessment, inventory, store

    chosen = {
        dataset.name: dataset
        for dataset in (datasets.get(name, data_dir) for name in names or ())
    }
    results = store.Store(results_dir, make=False)
    held = inventory.take(results, chosen)
    setups = held.setups
    for problem in (*results.problems, *held.problems):
        print(one_line(f"warning: {problem}"), file=sys.stderr)
    if names is not None:
        for name in sorted(set(chosen) - {setup.dataset.name for setup in setups}):
            print(one_line(f"warning: no results on {name}"), file=sys.stderr)
        setups = tuple(setup for setup in setups if setup.dataset.name in chosen)
    # Without results every claim is unknown.
    assessed = assessment.assess(held, setups or (None,), held.plans())
    across = aggregates.aggregates(setups, results)
    terminal.show_claims(assessed, across, rich.console.Console())
    program.write_or_warn(results, files.write_claims, assessed, across, results.folder)
    return 0


if __name__ == "__main__":
    main()
