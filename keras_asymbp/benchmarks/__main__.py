"""Runs the experiments of Liao, Leibo and Poggio (AAAI 2016) and prints their tables.

    python -m keras_asymbp.benchmarks --exp C2

runs experiment C2 on the MNIST subset that is part of the package, and --exp all runs
all six. Finished trials are kept in the results folder; the same command again goes on
where it was stopped.
"""

import dataclasses
import os
import pathlib
import shlex
import sys

from absl import flags

from keras_asymbp.benchmarks import (
    command_line,
    datasets,
    environment,
    executors,
    experiments,
)
from keras_asymbp.benchmarks.errors import UsageError, unknown
from keras_asymbp.benchmarks.protocol import PRESETS, Protocol
from keras_asymbp.benchmarks.table1 import ARCHITECTURES

_EXP = flags.DEFINE_list(
    "exp", None, "Experiments to run, separated by commas, or all; --list names them."
)
_DATASETS = flags.DEFINE_list(
    "datasets",
    ["mnist_5k"],
    "Data sets, separated by commas; --list names them. An .npz file, a folder of "
    "class folders or a data set of TFDS in --data_dir is one, too.",
)
_MODELS = flags.DEFINE_list(
    "models", None, "Columns of the table, separated by commas; by default all."
)
_PRESET = flags.DEFINE_string(
    "preset",
    "quick",
    f"How long to train, one of {', '.join(PRESETS)}: see that it runs; the shape of "
    "the paper's 65 epochs in 6; the paper's.",
)
_EPOCHS = flags.DEFINE_integer("epochs", None, "Epochs, instead of the preset's.")
_LEARNING_RATES = flags.DEFINE_list(
    "learning_rates", None, "Learning rates to search, instead of the paper's five."
)
_TRAIN_EXAMPLES = flags.DEFINE_integer(
    "train_examples", None, "Use so many training examples, of each class as many."
)
_TEST_EXAMPLES = flags.DEFINE_integer(
    "test_examples", None, "Use so many test examples, of each class as many."
)
_ARCHITECTURE = flags.DEFINE_string(
    "architecture",
    None,
    f"Network of Table 1, one of {', '.join(ARCHITECTURES)}, instead of the one that "
    "the paper uses for the data set; images are resized to fit.",
)
_SEEDS = flags.DEFINE_list("seeds", ["0"], "Seeds, separated by commas.")
_DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "Folder of data sets prepared by TensorFlow Datasets, instead of its own default.",
)
_RESULTS_DIR = flags.DEFINE_string(
    "results_dir", "results", "Folder that keeps finished trials and reports."
)
_EXECUTOR = flags.DEFINE_string(
    "executor",
    "local",
    f"Where to train, one of {', '.join(executors.NAMES)}: processes on this machine, "
    "or a Ray cluster.",
)
_JOBS = flags.DEFINE_integer(
    "jobs",
    None,
    "How many processes train, with --executor local; by default one a GPU, or one a "
    "core, as far as there is work and 2 GB of memory for each. With 1 it is the "
    "command's own process.",
)
_THREADS = flags.DEFINE_integer(
    "threads",
    None,
    "Threads of each process that trains, instead of its share of the cores.",
)
_ADDRESS = flags.DEFINE_string(
    "address",
    None,
    "The Ray cluster: auto, host:port or ray://host:port; by default one is started "
    "on this machine.",
)
_NUM_CPUS = flags.DEFINE_integer("num_cpus", 1, "CPUs of a cell, with --executor ray.")
_NUM_GPUS = flags.DEFINE_float(
    "num_gpus", 0, "GPUs of a cell, with --executor ray; 0.5 lets two share one."
)
_RETRIES = flags.DEFINE_integer(
    "retries", 2, "How often a cell is tried again that has failed."
)
_RESULTS_BY = flags.DEFINE_string(
    "results_by",
    "driver",
    "Who writes results: driver, or workers, which need the results folder, too.",
)
_DETERMINISTIC = flags.DEFINE_bool(
    "deterministic",
    False,
    "Tell TensorFlow to give the same numbers each time, for the same number of "
    "threads on the same kind of processor.",
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
_DRY_RUN = flags.DEFINE_bool(
    "dry_run",
    False,
    "Print how many cells and trials there are to run and about how long they take, "
    "then end. The data sets need not be there.",
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
    command_line.start(
        _run,
        globals(),
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
        raise UsageError(
            f"name an experiment with --exp: {', '.join(experiments.EXPERIMENTS)}"
        )
    chosen = experiments.get_all(_EXP.value)
    protocol = _protocol()
    execution = _execution()
    seeds = _distinct(_integer("seed", text) for text in _SEEDS.value)
    if not seeds:
        raise UsageError("--seeds is empty: give one seed or more, such as 0")
    # Data sets that aren't there are said before anything is trained.
    rows = datasets.find(_DATASETS.value, _DATA_DIR.value, _DRY_RUN.value)
    if not rows:
        raise UsageError("--datasets is empty: give one or more, such as mnist_5k")
    for dataset, _ in rows:
        dataset.check(protocol)
    if _SBATCH.value is not None:
        print(_slurm_script(_SBATCH.value, execution), end="")
        return 0
    import rich.console

    from keras_asymbp.benchmarks import (
        progress,
        report,
        runner,
        store,
        table,
        tensorboard,
    )

    plans = [
        table.Plan(experiment, columns, rows, protocol, _PRESET.value, seeds)
        for experiment, columns in experiments.select(chosen, _MODELS.value)
    ]
    if _DRY_RUN.value:
        return _dry_run(plans, execution)
    tensorboard_dir = tensorboard.require(_TENSORBOARD.value)
    results = store.Store(_RESULTS_DIR.value)
    execution = _for_this_machine(execution, plans, results)
    if execution.in_process and execution.threads:
        # TensorFlow, which reads them, isn't imported yet.
        os.environ |= environment.threads(execution.threads, execution.threads)
    console = rich.console.Console()
    _prepare(rows, protocol, console)
    for problem in results.problems:
        print(f"warning: {problem}", file=sys.stderr)
    with progress.Display(console) as display:
        failures = runner.run(
            *(plans, results, display, _DATA_DIR.value, _command(), execution),
            tensorboard_dir=tensorboard_dir,
        )
    tables = [table.fill(plan, results, failures) for plan in plans]
    for filled in tables:
        (report.show if console.is_terminal else report.show_plain)(filled, console)
    arguments = tables, results.folder, results.problems
    written = command_line.write(
        results, report.write, *arguments, failed=bool(failures)
    )
    place = f"report: {results.folder / 'report.html'}" if written else "no report"
    print(f"{display.summary()}; {place}")
    for cell, reason in failures.items():
        print(
            f"failed: {cell.dataset.name}, {cell.column.name}, seed {cell.seed}: "
            f"{reason}",
            file=sys.stderr,
        )
    if failures:
        print("the same command tries what failed again", file=sys.stderr)
    return 1 if failures else 0


def _dry_run(plans, execution) -> int:
    from keras_asymbp.benchmarks import planning, store

    folder = pathlib.Path(_RESULTS_DIR.value)
    there = (folder / "trials").is_dir()
    results = store.Store(folder, make=False) if there else None
    jobs = _for_this_machine(execution, plans, results).jobs
    print(planning.describe(planning.amounts(plans, results), jobs))
    return 0


def _for_this_machine(execution, plans, results) -> executors.Execution:
    """With so many jobs as are best for the work there is, if the user said nothing."""
    from keras_asymbp.benchmarks import planning

    if _JOBS.value is not None or execution.executor != "local":
        return execution
    jobs = environment.jobs(planning.unfinished(plans, results))
    return dataclasses.replace(execution, jobs=jobs)


def _prepare(rows, protocol, console):
    """Fits to its network what isn't yet, with a bar."""
    from keras_asymbp.benchmarks import progress
    from keras_asymbp.benchmarks.datasets import prepared

    for dataset, _ in rows:
        fit = prepared.Fit.of(dataset, protocol, _DATA_DIR.value)
        prepared.load(fit, progress.bar(console))


def _check_claims() -> int:
    import rich.console

    from keras_asymbp.benchmarks import claims, report, setups, store

    wanted = {
        dataset.name: dataset
        for dataset in (datasets.get(name, _DATA_DIR.value) for name in _DATASETS.value)
    }
    results = store.Store(_RESULTS_DIR.value, make=False)
    found, problems = setups.find(results, datasets.DATASETS | wanted)
    for problem in (*results.problems, *problems):
        print(f"warning: {problem}", file=sys.stderr)
    if _DATASETS.present:
        for name in sorted(set(wanted) - {setup.dataset.name for setup in found}):
            print(f"warning: no results on {name}", file=sys.stderr)
        found = [setup for setup in found if setup.dataset.name in wanted]
    checked: report.Checked = [(s, claims.evaluate(s, results)) for s in found]
    # That there are no results is no claim that holds.
    checked = checked or [(None, claims.evaluate(None, results))]
    report.show_claims(checked, rich.console.Console())
    command_line.write(results, report.write_claims, checked, results.folder)
    return 0


def _slurm_script(tasks: int, execution: executors.Execution) -> str:
    from keras_asymbp.benchmarks import slurm

    # As it was typed, by the same Python, whatever a task finds on its PATH.
    arguments = slurm.without_flag(sys.orig_argv[1:], "sbatch")
    command = [sys.executable, *arguments]
    return slurm.script(tasks, execution, command, os.getcwd())


def _execution() -> executors.Execution:
    return executors.Execution(
        executor=_EXECUTOR.value,
        jobs=1 if _JOBS.value is None else _JOBS.value,
        threads=_THREADS.value,
        address=_ADDRESS.value,
        num_cpus=_NUM_CPUS.value,
        num_gpus=_NUM_GPUS.value,
        retries=_RETRIES.value,
        deterministic=_DETERMINISTIC.value,
        results_by=_RESULTS_BY.value,
    )


def _protocol() -> Protocol:
    if _PRESET.value not in PRESETS:
        raise unknown("preset", _PRESET.value, PRESETS)
    protocol = PRESETS[_PRESET.value]
    if _EPOCHS.value is not None:
        protocol = dataclasses.replace(protocol, epochs=_at_least_one(_EPOCHS))
    if _LEARNING_RATES.value is not None:
        rates = _distinct(map(_rate, _LEARNING_RATES.value))
        if not rates:
            raise UsageError("--learning_rates is empty: give one or more")
        protocol = dataclasses.replace(protocol, learning_rates=rates)
    if _TRAIN_EXAMPLES.value is not None:
        count = _at_least_one(_TRAIN_EXAMPLES)
        protocol = dataclasses.replace(protocol, train_examples=count)
    if _TEST_EXAMPLES.value is not None:
        count = _at_least_one(_TEST_EXAMPLES)
        protocol = dataclasses.replace(protocol, test_examples=count)
    if _ARCHITECTURE.value is not None:
        if _ARCHITECTURE.value not in ARCHITECTURES:
            raise unknown("architecture", _ARCHITECTURE.value, ARCHITECTURES)
        protocol = dataclasses.replace(protocol, architecture=_ARCHITECTURE.value)
    return protocol


def _at_least_one(flag):
    if flag.value < 1:
        raise UsageError(f"--{flag.name} must be 1 or more, not {flag.value}")
    return flag.value


def _distinct(values):
    """The values as a tuple, each once, in their order."""
    return tuple(dict.fromkeys(values))


def _rate(text):
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 < rate < float("inf"):
        raise UsageError(f"learning rate '{text}' must be a number above 0")
    return rate


def _integer(kind, text):
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number < 2**31:
        raise UsageError(f"{kind} '{text}' must be an integer of 0 or more, below 2^31")
    return number


def _listing() -> str:
    lines = ["experiments and their models:"]
    for experiment in experiments.EXPERIMENTS.values():
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
        for name, architecture in ARCHITECTURES.items()
    ]
    return "\n".join(lines)


def _command() -> str:
    """This command line, as it can be typed again."""
    return shlex.join(["python", "-m", "keras_asymbp.benchmarks", *sys.argv[1:]])


if __name__ == "__main__":
    main()
