"""Trains each rule on ever deeper networks: how far does it carry the error down?

    keras-asymbp depth

trains plain and residual networks of 2 to 20 layers on one data set, by default the
MNIST subset that is part of the package, and writes depth.png, depth.svg, depth.md and
depth.csv into the results folder: error, and alignment with backpropagation, against
depth. Finished trials are kept there; the same command, run again, continues where it
was stopped.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

from keras_asymbp.benchmarks.commands import execute, program
from keras_asymbp.benchmarks.commands.flags.groups import ESSENTIALS, Group
from keras_asymbp.benchmarks.commands.flags.training import TrainingFlags
from keras_asymbp.benchmarks.commands.flags.values import distinct, integer
from keras_asymbp.benchmarks.depth import study
from keras_asymbp.benchmarks.errors import unknown
from keras_asymbp.benchmarks.escaping.printable import one_line
from keras_asymbp.benchmarks.networks import FAMILIES
from keras_asymbp.benchmarks.tables import experiments

if TYPE_CHECKING:
    from keras_asymbp.benchmarks.results.store import Store
    from keras_asymbp.benchmarks.tables.plan import Plan


class Flags(TrainingFlags):
    """The flags of this command.

    Args:
        values: Where the flags are defined; by default where absl parses them.
    """

    def __init__(self, values: flags.FlagValues = flags.FLAGS):
        group = Group(ESSENTIALS, values)
        self.networks = group.list(
            "networks",
            list(FAMILIES),
            f"Families of networks, separated by commas: {', '.join(FAMILIES)}.",
            known=tuple(FAMILIES),
        )
        self.depths = group.list(
            "depths",
            list(map(str, study.DEPTHS)),
            "Numbers of layers with weights, separated by commas.",
            metavar="N",
        )
        self.models = group.list(
            "models",
            None,
            "Models, separated by commas: a rule alone, or with +BN+BM; by default "
            "all.",
            known=[column.name for column in experiments.DEPTH.columns],
        )
        super().__init__("results-depth", values, alignment_batches=2)


def main() -> None:
    """The command; ends the process with its exit code."""
    execute.start("depth", Flags(), _run, __doc__)


def plans(given: Flags) -> "list[Plan]":
    """The plans that the flags describe: one for each network.

    Raises:
        UsageError: If a network, depth, model, preset or seed is unknown, or if not
            just one data set is given.
    """
    networks = _networks(given.networks.value, given.depths.value)
    setup = given.setup("the depth study")
    ((_, columns),) = experiments.select([experiments.DEPTH], given.models.value)
    planned = study.plans(networks, given.columns(columns), setup)
    for plan in planned:
        plan.setup.protocol.check(setup.dataset)
    return planned


def _run(given: Flags) -> int:
    given.execution()  # Reports bad values before anything is trained.
    planned = plans(given)
    if given.dry_run.value:
        print(execute.dry_run(planned, given))
        return 0
    # A missing package is reported before anything is trained.
    execute.require_extra()
    import matplotlib  # noqa: F401
    import rich.console

    command = program.typed("keras_asymbp.benchmarks.depth")
    outcome = execute.execute(planned, given, rich.console.Console(), command)
    results, failed = outcome.results, bool(outcome.failures)
    runs = study.runs(planned, results)
    picture = "no picture"
    if runs:
        print(study.tables(runs), end="")
        if program.write_or_warn(results, write, runs, results, failed=failed):
            picture = f"picture: {one_line(results.folder / 'depth.png')}"
    print(f"{outcome.summary}; {picture}")
    outcome.print_failures()
    return outcome.exit_code


def write(runs: Sequence[study.Run], results: "Store") -> None:
    """Writes the files on runs of the depth study into their results folder."""
    from keras_asymbp.benchmarks.depth import picture
    from keras_asymbp.benchmarks.pictures import saving
    from keras_asymbp.benchmarks.reports import rows
    from keras_asymbp.benchmarks.results.atomic import write_atomically

    folder = results.folder
    write_atomically(folder / "depth.csv", study.text(runs))
    write_atomically(folder / "depth.md", study.tables(runs))
    write_atomically(folder / "results.csv", rows.text(results.trials()))
    saving.save(picture.draw(runs), folder, "depth")


def _networks(families, depths) -> list[tuple[str, int]]:
    """The networks, by family and depth; a family lacks some of the depths."""
    for family in families:
        if family not in FAMILIES:
            raise unknown("family of networks", family, FAMILIES)
    numbers = distinct(integer("depth", text) for text in depths)
    known = {d for family in families for d in FAMILIES[family].depths}
    for number in numbers:
        if number not in known:
            raise unknown("depth", str(number), map(str, sorted(known)))
    return [
        (family, number)
        for family in distinct(families)
        for number in numbers
        if number in FAMILIES[family].depths
    ]


if __name__ == "__main__":
    main()
