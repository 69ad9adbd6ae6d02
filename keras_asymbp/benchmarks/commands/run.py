"""Runs the experiments of Liao, Leibo and Poggio (AAAI 2016) and prints their tables.

    keras-asymbp run --exp C2

runs experiment C2 on the MNIST subset that is part of the package, and --exp all runs
all six. Finished trials are kept in the results folder; the same command, run again,
continues where it was stopped.
"""

import dataclasses
import os
import sys
from typing import TYPE_CHECKING

from absl import flags

from keras_asymbp.benchmarks import networks
from keras_asymbp.benchmarks.commands import execute, listing, program
from keras_asymbp.benchmarks.commands.flags.groups import (
    ESSENTIALS,
    OUTPUT,
    TRAINING,
    Group,
)
from keras_asymbp.benchmarks.commands.flags.parsers import COLUMN, FOLDER, PATH
from keras_asymbp.benchmarks.commands.flags.training import TrainingFlags
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.escaping.printable import one_line
from keras_asymbp.benchmarks.tables import experiments, own, readings
from keras_asymbp.benchmarks.tables.plan import Plan, Setup
from keras_asymbp.benchmarks.tables.protocol import Protocol

if TYPE_CHECKING:
    from keras_asymbp.benchmarks.run.executors import Execution


class Flags(TrainingFlags):
    """The flags of this command.

    Args:
        values: Where the flags are defined; by default where absl parses them.
    """

    def __init__(self, values: flags.FlagValues = flags.FLAGS):
        group = Group(ESSENTIALS, values)
        self.exp = group.list(
            "exp",
            None,
            "Experiments to run, separated by commas: names shown by --list, all, or "
            ".yaml and .py files with tables of your own.",
            known=(*experiments.ALL, "all"),
            others=PATH,
        )
        self.models = group.list(
            "models",
            None,
            "Columns of the table, separated by commas; by default all.",
            known=[c.name for e in experiments.ALL.values() for c in e.columns],
            others=COLUMN,
        )
        super().__init__(values=values)
        self.list = group.switch_or_name(
            "list",
            "List experiments, presets, data sets, networks and readings, or one of "
            f"these topics, then end: {', '.join(listing.TOPICS)}.",
            known=tuple(listing.TOPICS),
        )
        self.architecture = Group(TRAINING, values).name(
            "architecture",
            None,
            "Network, shown by --list, or a model of keras.applications such as "
            "ResNet50; images are resized to fit. By default the network that the "
            "paper uses for the data set.",
            known=tuple(networks.NETWORKS),
        )
        output = Group(OUTPUT, values)
        self.tensorboard = output.text(
            "tensorboard",
            None,
            "Folder for TensorBoard's logs of each trial that is trained: curves, "
            "alignment, histograms of the weights, hyper-parameters.",
            FOLDER,
        )
        self.sbatch = output.integer(
            "sbatch",
            None,
            "Print a Slurm script that shares this command among the given number of "
            "tasks, then end.",
        )
        self.claims = output.switch(
            "claims",
            False,
            "Check the paper's claims on the results folder, then end; the same as "
            "keras-asymbp claims.",
        )

    def protocol(self) -> Protocol:
        protocol = super().protocol()
        if (name := self.architecture.value) is not None:
            networks.get(name)
            protocol = dataclasses.replace(protocol, architecture=name)
        return protocol


def main() -> None:
    """The command; ends the process with its exit code."""
    execute.start("run", Flags(), _run, __doc__)


def plans(given: Flags) -> list[Plan]:
    """The plans that the flags describe: one for each experiment and data set.

    Raises:
        UsageError: If an experiment, model, network, preset or seed is unknown, or a
            data set is missing.
    """
    if given.exp.value is None:
        raise UsageError(f"name an experiment with --exp: {', '.join(experiments.ALL)}")
    chosen = own.find(given.exp.value)
    protocol = given.protocol()
    seeds = given.seeds()
    rows = given.rows()
    preset = given.preset.value
    planned = [
        Plan(
            experiment,
            given.columns(columns),
            Setup(
                *(dataset, version),
                _protocol(experiment, dataset, protocol, given),
                *(preset, seeds),
            ),
        )
        for experiment, columns in experiments.select(chosen, given.models.value)
        for dataset, version in rows
    ]
    for plan in planned:
        _check(plan, given)
    return planned


def _check(plan, given):
    """Checks that a plan suits its data set; a user's table may name the network."""
    dataset, protocol = plan.setup.dataset, plan.setup.protocol
    protocol.check_augmentation(dataset)
    file = plan.experiment.file
    try:
        protocol.check_network(dataset)
    except UsageError as error:
        if file is None or given.architecture.value is not None:
            raise
        raise own.faulty(file, str(error)) from error


def _protocol(experiment, dataset, protocol, given) -> Protocol:
    """The protocol of the flags, completed by the experiment's own settings."""
    if not given.validation_share_given:
        share = experiment.validation_share
        protocol = dataclasses.replace(protocol, validation_share=share)
    network = protocol.architecture or dict(experiment.networks).get(dataset.network)
    protocol = dataclasses.replace(protocol, architecture=network)
    if given.reading is not None:
        return protocol
    return readings.completed(protocol, protocol.network(dataset))


def _run(given: Flags) -> int:
    if topic := given.list.value:
        files = [name for name in given.exp.value or () if own.is_path(name)]
        print(listing.text(None if topic is True else topic, own.find(files)))
        return 0
    if given.claims.value:
        from keras_asymbp.benchmarks.commands import claims

        names = given.datasets.value if given.datasets_given else None
        return claims.check(
            *(given.results_dir.value, names),
            *(given.data_dir.value, given.learning_rates),
        )
    execution = given.execution()
    planned = plans(given)
    if given.sbatch.value is not None:
        print(_slurm_script(given.sbatch.value, execution), end="")
        return 0
    if given.dry_run.value:
        print(execute.dry_run(planned, given))
        return 0
    return _train(planned, given)


def _train(planned, given) -> int:
    import rich.console

    from keras_asymbp.benchmarks.reports import files, terminal
    from keras_asymbp.benchmarks.results import inventory, table
    from keras_asymbp.benchmarks.training import events

    folder = given.tensorboard.value if given.train.value else None
    tensorboard_dir = events.require(folder)
    console = rich.console.Console()
    command = program.typed("keras_asymbp.benchmarks")
    outcome = execute.execute(planned, given, console, command, tensorboard_dir)
    results, failures = outcome.results, outcome.failures
    filled = [table.fill(plan, results, failures) for plan in planned]
    for each in table.group(filled):
        (terminal.show if console.is_terminal else terminal.show_plain)(each, console)
    held = inventory.take(
        results, {p.setup.dataset.name: p.setup.dataset for p in planned}
    )
    written = program.write_or_warn(
        results, files.write, filled, held, failed=bool(failures)
    )
    report = f"report: {results.folder / 'report.html'}" if written else "no report"
    print(one_line(f"{outcome.summary}; {report}"))
    outcome.print_failures()
    return outcome.exit_code


def _slurm_script(tasks: int, execution: "Execution") -> str:
    from keras_asymbp.benchmarks.run import slurm

    # The command as it was typed, with this Python: a task's PATH may have another.
    arguments = slurm.without_flag(sys.orig_argv[1:], "sbatch")
    command = [sys.executable, *arguments]
    return slurm.script(tasks, execution, command, os.getcwd())


if __name__ == "__main__":
    main()
