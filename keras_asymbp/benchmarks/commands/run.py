"""Runs the experiments of Liao, Leibo and Poggio (AAAI 2016) and prints their tables.

    python -m keras_asymbp.benchmarks --exp C2

runs experiment C2 on the MNIST subset that is part of the package, and --exp all runs
all six. Finished trials are kept in the results folder; the same command, run again,
continues where it was stopped.
"""

import dataclasses
import os
import sys
from typing import TYPE_CHECKING

from absl import flags

from keras_asymbp.benchmarks import datasets, networks
from keras_asymbp.benchmarks.commands import execute, program
from keras_asymbp.benchmarks.commands.flags import TrainingFlags, define_integer
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.escaping.printable import one_line
from keras_asymbp.benchmarks.tables import experiments
from keras_asymbp.benchmarks.tables.plan import Plan, Setup
from keras_asymbp.benchmarks.tables.protocol import PRESETS, Protocol

if TYPE_CHECKING:
    from keras_asymbp.benchmarks.run.executors import Execution


class Flags(TrainingFlags):
    """The flags of this command.

    Args:
        values: Where the flags are defined; by default where absl parses them.
    """

    def __init__(self, values: flags.FlagValues = flags.FLAGS):
        super().__init__(values=values)
        self.exp = flags.DEFINE_list(
            "exp",
            None,
            "Experiments to run, separated by commas, or all; --list shows them.",
            flag_values=values,
        )
        self.models = flags.DEFINE_list(
            "models",
            None,
            "Columns of the table, separated by commas; by default all.",
            flag_values=values,
        )
        self.architecture = flags.DEFINE_string(
            "architecture",
            None,
            "Network, shown by --list, or a model of keras.applications such as "
            "ResNet50; images are resized to fit. By default the network that the "
            "paper uses for the data set.",
            flag_values=values,
        )
        self.tensorboard = flags.DEFINE_string(
            "tensorboard",
            None,
            "Folder for TensorBoard's logs of each trial that is trained: curves, "
            "alignment, histograms of the weights, hyper-parameters.",
            flag_values=values,
        )
        self.sbatch = define_integer(
            "sbatch",
            None,
            "Print a Slurm script that shares this command among the given number of "
            "tasks, then end.",
            values,
        )
        self.claims = flags.DEFINE_bool(
            "claims",
            False,
            "Check the paper's claims on the results folder, then end; the same as "
            "keras-asymbp claims.",
            flag_values=values,
        )
        self.list = flags.DEFINE_bool(
            "list",
            False,
            "List experiments, models, data sets, presets and networks, then end.",
            flag_values=values,
        )

    def protocol(self) -> Protocol:
        protocol = super().protocol()
        if (name := self.architecture.value) is not None:
            networks.get(name)
            protocol = dataclasses.replace(protocol, architecture=name)
        return protocol


def main() -> None:
    """The command; ends the process with its exit code."""
    given = Flags()
    program.start(
        lambda: _run(given),
        __doc__,
        stopped=(
            "stopped; finished trials are kept, the same command continues from there"
        ),
    )


def plans(given: Flags) -> list[Plan]:
    """The plans that the flags describe: one for each experiment and data set.

    Raises:
        UsageError: If an experiment, model, network, preset or seed is unknown, or a
            data set is missing.
    """
    if not given.exp.value:
        raise UsageError(f"name an experiment with --exp: {', '.join(experiments.ALL)}")
    chosen = experiments.get_all(given.exp.value)
    protocol = given.protocol()
    seeds = given.seeds()
    rows = given.rows()
    for dataset, _ in rows:
        protocol.check(dataset)
    preset = given.preset.value
    return [
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


def _protocol(experiment, dataset, protocol, given) -> Protocol:
    """The protocol of the flags, completed by the experiment's own settings."""
    if not given.validation_share_given:
        share = experiment.validation_share
        protocol = dataclasses.replace(protocol, validation_share=share)
    network = protocol.architecture or dict(experiment.networks).get(dataset.network)
    return dataclasses.replace(protocol, architecture=network)


def _run(given: Flags) -> int:
    if given.list.value:
        print(_listing())
        return 0
    if given.claims.value:
        from keras_asymbp.benchmarks.commands import claims

        names = given.datasets.value if given.datasets_given else None
        return claims.check(given.results_dir.value, names, given.data_dir.value)
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

    tensorboard_dir = events.require(given.tensorboard.value)
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


def _listing() -> str:
    lines = ["experiments and their models:"]
    for experiment in experiments.ALL.values():
        lines += [f"  {experiment.name}: {experiment.title} ({experiment.table})"]
        lines += [f"    {column.name}" for column in experiment.columns]
    lines += ["data sets:"]
    for dataset in datasets.DATASETS.values():
        lines += [f"  {dataset.name}: {dataset.description}"]
    lines += ["presets:"]
    for name, preset in PRESETS.items():
        counts = preset.train_examples, preset.test_examples
        cut = f", {counts[0]} + {counts[1]} examples" if counts[0] else ""
        lines += [
            f"  {name}: {preset.epochs} epochs, {len(preset.learning_rates)} learning "
            f"rates{cut}"
        ]
    lines += ["architectures:"]
    lines += [
        f"  {name}: inputs of {'x'.join(map(str, architecture.input_shape))}"
        for name, architecture in networks.NETWORKS.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
