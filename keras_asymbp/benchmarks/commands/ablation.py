"""Compares readings of what the paper leaves open by their agreement with its figures.

    keras-asymbp ablation

trains nine models on one data set under each reading (inputs, first weights, sum or
mean of the losses, decay of biases) and writes ablation.md into the results folder: for
each reading the rank correlation with the paper's errors, the marks that agree, and the
errors. Where the best of the rates is at their edge, one more beyond it is trained.
Finished trials are kept there; the same command, run again, continues where it was
stopped.
"""

from typing import TYPE_CHECKING

from absl import flags

from keras_asymbp.benchmarks.commands import execute, program
from keras_asymbp.benchmarks.commands.flags.groups import ESSENTIALS, Group
from keras_asymbp.benchmarks.commands.flags.training import TrainingFlags
from keras_asymbp.benchmarks.tables import readings

if TYPE_CHECKING:
    from keras_asymbp.benchmarks.results.store import Store
    from keras_asymbp.benchmarks.tables.plan import Plan
    from keras_asymbp.benchmarks.tables.readings import Reading


class Flags(TrainingFlags):
    """The flags of this command.

    Args:
        values: Where the flags are defined; by default where absl parses them.
    """

    def __init__(self, values: flags.FlagValues = flags.FLAGS):
        self.readings = Group(ESSENTIALS, values).list(
            "readings",
            None,
            "Readings, separated by commas, of those that keras-asymbp run --list "
            "shows; by default all for the data set's network.",
            known=tuple(readings.READINGS),
        )
        super().__init__("results-ablation", values, reading=False)


def main() -> None:
    """The command; ends the process with its exit code."""
    execute.start("ablation", Flags(), _run, __doc__)


def plans(given: Flags) -> "tuple[list[Reading], list[Plan]]":
    """The readings that the flags name, and the plan of each.

    Raises:
        UsageError: If a reading, preset or seed is unknown, or if not just one data
            set is given.
    """
    from keras_asymbp.benchmarks.ablation import study

    setup = given.setup("the ablation")
    setup.protocol.check(setup.dataset)
    names = given.readings.value
    chosen = (
        [readings.get(name) for name in dict.fromkeys(names)]
        if names
        else readings.for_network(setup.network)
    )
    return chosen, study.plans(chosen, setup)


def _run(given: Flags) -> int:
    from keras_asymbp.benchmarks.ablation import study

    given.execution()  # Reports bad values before anything is trained.
    chosen, planned = plans(given)
    if given.dry_run.value:
        print(execute.dry_run(planned, given))
        return 0
    import rich.console

    console = rich.console.Console()
    command = program.typed("keras_asymbp.benchmarks.commands.ablation")
    outcome = execute.execute(planned, given, console, command)
    if further := study.beyond(planned, outcome.results):
        later = execute.execute(further, given, console, command, warn=False)
        outcome = outcome.before(later)
    results = outcome.results
    text = study.text(study.lines(chosen, planned, results))
    print(text, end="")
    program.write_or_warn(results, _write, text, results, failed=bool(outcome.failures))
    print(outcome.summary)
    outcome.print_failures()
    return outcome.exit_code


def _write(text: str, results: "Store") -> None:
    from keras_asymbp.benchmarks.results.atomic import write_atomically

    write_atomically(results.folder / "ablation.md", text)


if __name__ == "__main__":
    main()
