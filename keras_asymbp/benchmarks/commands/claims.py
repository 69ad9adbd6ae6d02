"""Checks the paper's claims on a results folder.

    keras-asymbp claims --results_dir results

Nothing is trained. Prints, for each data set and protocol, which claims hold, and
writes the same into claims.md in the results folder, with the evidence: the interval
of each inequality, and the rank correlation with the paper's tables.
"""

import sys
from collections.abc import Sequence

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.commands.flags.folders import ResultsFlags as Flags
from keras_asymbp.benchmarks.commands.flags.folders import take_inventory, warn
from keras_asymbp.benchmarks.escaping.printable import one_line


def main() -> None:
    """The command; ends the process with its exit code."""
    given = Flags(
        datasets_help="Data sets to check, separated by commas, named as in the run; "
        "by default those of the package."
    )
    program.start(
        lambda: check(
            *(given.results_dir.value, given.datasets.value),
            *(given.data_dir.value, given.learning_rates.value),
        ),
        "keras-asymbp claims",
        __doc__,
        stopped="stopped; run the same command again",
    )


def check(
    results_dir: str,
    names: Sequence[str] | None = None,
    data_dir: str | None = None,
    rates: Sequence[str] | None = None,
) -> int:
    """Prints and writes the verdict on each claim; returns the exit code.

    Args:
        results_dir: The results folder.
        names: Data sets to check, as `datasets.get` takes them; None for every one of
            the package's that has results.
        data_dir: Folder of the prepared data sets.
        rates: As `--learning_rates`.

    Raises:
        UsageError: If the folder has no results, or a data set is unknown.
    """
    import rich.console

    from keras_asymbp.benchmarks.reports import files, terminal
    from keras_asymbp.benchmarks.results import aggregates, assessment

    held = take_inventory(results_dir, names or (), data_dir, rates)
    setups = held.setups
    warn((*held.store.problems, *held.problems))
    if names is not None:
        chosen = {datasets.get(name, data_dir).name for name in names}
        for name in sorted(chosen - {setup.dataset.name for setup in setups}):
            print(one_line(f"warning: no results on {name}"), file=sys.stderr)
        setups = tuple(setup for setup in setups if setup.dataset.name in chosen)
    # Without results every claim is unknown.
    assessed = assessment.assess(held, setups or (None,), held.plans())
    across = aggregates.aggregates(setups, held.store)
    terminal.show_claims(assessed, across, rich.console.Console())
    folder = held.store.folder
    program.write_or_warn(held.store, files.write_claims, assessed, across, folder)
    return 0


if __name__ == "__main__":
    main()
