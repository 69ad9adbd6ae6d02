"""Runs the experiments of Liao, Leibo and Poggio (AAAI 2016) and prints their tables.

    python -m keras_asymbp.benchmarks --exp C2

runs experiment C2 on the MNIST subset that is part of the package, and --exp all runs
all six. Finished trials are kept in the results folder; the same command again goes on
where it was stopped.
"""

import dataclasses
import os
import sys

from absl import flags

from keras_asymbp.benchmarks import datasets, networks
from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.commands.flags import Training
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.run import executors
from keras_asymbp.benchmarks.tables import experiments
from keras_asymbp.benchmarks.tables.plan import Plan, Setup
from keras_asymbp.benchmarks.tables.protocol import PRESETS, Protocol

_EXP = flags.DEFINE_list(
    "exp", None, "Experiments to run, separated by commas, or all; --list names them."
)
_TRAINING = Training()
_MODELS = flags.DEFINE_list(
    "models", None, "Columns of the table, separated by commas; by default all."
)
_ARCHITECTURE = flags.DEFINE_string(
    "architecture",
    None,
    "Network, one that --list names, or a model of keras.applications such as "
    "ResNet50, instead of the one that the paper uses for the data set; images are "
    "resized to fit.",
)
_TENSORBOARD = flags.DEFINE_string(
    "tensorboard",
    None,
    "Folder to write what TensorBoard shows of each trial that is trained into: "
    "curves, alignment, histograms of the weights, hyper-parameters.",
)
_SBATCH = flags.DEFINE_integer(
    "sbatch",
    None,
    "Print a Slurm script in which so many tasks run this command together, then end.",
)
_CLAIMS = flags.DEFINE_bool(
    "claims",
    False,
    "Check the paper's claims on what is in the results folder, then end: on all data "
    "sets, or those that --datasets names.",
)
_LIST = flags.DEFINE_bool(
    "list", False, "List experiments, models, data sets and presets, then end."
)


def main() -> None:
    """The command line; ends the process with its exit code."""
    program.start(
        _run,
        globals() | vars(_TRAINING),
        stopped=(
            "stopped; finished trials are kept, the same command goes on from there"
        ),
    )


def _run() -> int:
    if _LIST.value:
        print(_listing())
        return 0
    return _check_claims() if _CLAIMS.value else _run_experiment()


def _run_experiment() -> int:
    if not _EXP.value:
        raise UsageError(f"name an experiment with --exp: {', '.join(experiments.ALL)}")
    chosen = experiments.get_all(_EXP.value)
    protocol = _protocol()
    execution = _TRAINING.execution()
    seeds = _TRAINING.seeds()
    # Data sets that aren't there are said before anything is trained.
    rows = _TRAINING.rows()
    for dataset, _ in rows:
        protocol.check(dataset)
    if _SBATCH.value is not None:
        print(_slurm_script(_SBATCH.value, execution), end="")
        return 0
    import rich.console

    from keras_asymbp.benchmarks.reports import files, terminal
    from keras_asymbp.benchmarks.results import inventory, table
    from keras_asymbp.benchmarks.training import events

    preset = _TRAINING.preset
    plans = [
        Plan(
            experiment,
            columns,
            Setup(dataset, version, _how(experiment, dataset, protocol), preset, seeds),
        )
        for experiment, columns in experiments.select(chosen, _MODELS.value)
        for dataset, version in rows
    ]
    if _TRAINING.dry:
        print(_TRAINING.describe(plans, execution))
        return 0
    tensorboard_dir = events.require(_TENSORBOARD.value)
    console = rich.console.Console()
    command = program.typed("keras_asymbp.benchmarks")
    outcome = _TRAINING.run(plans, execution, console, command, tensorboard_dir)
    results, failures = outcome.results, outcome.failures
    filled = [table.fill(plan, results, failures) for plan in plans]
    for each in table.group(filled):
        (terminal.show if console.is_terminal else terminal.show_plain)(each, console)
    held = inventory.take(results, {d.name: d for d, _ in rows})
    written = program.write(results, files.write, filled, held, failed=bool(failures))
    place = f"report: {results.folder / 'report.html'}" if written else "no report"
    print(f"{outcome.summary}; {place}")
    return outcome.exit_code()


def _check_claims() -> int:
    import rich.console

    from keras_asymbp.benchmarks.reports import files, terminal
    from keras_asymbp.benchmarks.results import claims, inventory, store

    wanted = {
        dataset.name: dataset
        for dataset in (
            datasets.get(name, _TRAINING.data_dir) for name in _TRAINING.datasets
        )
    }
    results = store.Store(_TRAINING.results_dir, make=False)
    held = inventory.take(results, wanted)
    found = held.setups
    for problem in (*results.problems, *held.problems):
        print(f"warning: {problem}", file=sys.stderr)
    if _TRAINING.datasets_said:
        for name in sorted(set(wanted) - {setup.dataset.name for setup in found}):
            print(f"warning: no results on {name}", file=sys.stderr)
        found = tuple(setup for setup in found if setup.dataset.name in wanted)
    # Without results every claim is unknown.
    checked = [(s, claims.evaluate(s, results)) for s in found or (None,)]
    terminal.show_claims(checked, rich.console.Console())
    program.write(results, files.write_claims, checked, results.folder)
    return 0


def _slurm_script(tasks: int, execution: executors.Execution) -> str:
    from keras_asymbp.benchmarks.run import slurm

    # As it was typed, by the same Python, whatever a task finds on its PATH.
    arguments = slurm.without_flag(sys.orig_argv[1:], "sbatch")
    command = [sys.executable, *arguments]
    return slurm.script(tasks, execution, command, os.getcwd())


def _protocol() -> Protocol:
    protocol = _TRAINING.protocol()
    if _ARCHITECTURE.value is not None:
        networks.get(_ARCHITECTURE.value)
        protocol = dataclasses.replace(protocol, architecture=_ARCHITECTURE.value)
    return protocol


def _how(experiment, dataset, protocol) -> Protocol:
    """How an experiment trains on a data set, as far as no flag says otherwise."""
    if not _TRAINING.validation_said:
        share = experiment.validation_share
        protocol = dataclasses.replace(protocol, validation_share=share)
    network = protocol.architecture or dict(experiment.networks).get(dataset.network)
    return dataclasses.replace(protocol, architecture=network)


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
