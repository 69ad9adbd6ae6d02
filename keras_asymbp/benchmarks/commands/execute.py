"""From plans to results: what commands that train do with their plans."""

import collections
import dataclasses
import importlib.util
import os
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.commands.flags.training import TrainingFlags
from keras_asymbp.benchmarks.counting import counted
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.escaping.printable import one_line
from keras_asymbp.benchmarks.run.executors import Execution

if TYPE_CHECKING:
    import rich.console

    from keras_asymbp.benchmarks.results.store import Store
    from keras_asymbp.benchmarks.tables.cells import Cell
    from keras_asymbp.benchmarks.tables.plan import Plan


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The outcome of a run.

    Attributes:
        results: The store.
        failures: The failed cells, each with the reason.
        summary: The number of trials run and of trials found stored.
    """

    results: "Store"
    failures: "dict[Cell, str]"
    summary: str

    @property
    def exit_code(self) -> int:
        return 1 if self.failures else 0

    def before(self, later: "Outcome") -> "Outcome":
        """The outcome of this run and a later one on the same folder."""
        return Outcome(
            later.results,
            self.failures | later.failures,
            f"{self.summary}; then {later.summary}",
        )

    def print_failures(self) -> None:
        for cell, reason in self.failures.items():
            place = f"{cell.place}, {cell.column.name}, seed {cell.seed}"
            print(one_line(f"failed: {place}: {reason}"), file=sys.stderr)
        if self.failures:
            print("run the same command again to retry", file=sys.stderr)


def start(
    name: str,
    given: TrainingFlags,
    run: Callable[[Any], int | None],
    doc: str | None,
) -> None:
    """Starts a command that trains; see `program.start`.

    Args:
        name: The command's name.
        given: Its flags.
        run: Does its work.
        doc: The beginning of its help.
    """
    program.start(
        lambda: run(given),
        f"keras-asymbp {name}",
        doc,
        stopped=(
            "stopped; finished trials are kept, the same command continues from there"
        ),
    )


def require_extra() -> None:
    """Checks that packages are there that training needs, without importing them.

    Raises:
        ModuleNotFoundError: If one is missing.
    """
    for package in ("keras_tuner", "jinja2", "scipy"):
        if importlib.util.find_spec(package) is None:
            raise ModuleNotFoundError(name=package)


def dry_run(plans: "Sequence[Plan]", given: TrainingFlags) -> str:
    """The text of `--dry_run`: the work that is left, and an estimate of its time."""
    from keras_asymbp.benchmarks.results import store
    from keras_asymbp.benchmarks.run import planning

    folder = pathlib.Path(given.results_dir.value)
    exists = os.path.isdir(folder / "trials")
    results = store.Store(folder, make=False) if exists else None
    cells = planning.unfinished(plans, results)  # each trains in one process
    jobs = min(_execution(given, plans, results).jobs, max(1, cells))
    return planning.describe(planning.workloads(plans, results), jobs)


def execute(
    plans: "Sequence[Plan]",
    given: TrainingFlags,
    console: "rich.console.Console",
    command: str,
    tensorboard_dir: str | None = None,
    warn: bool = True,
) -> Outcome:
    """Trains the trials of plans that are not in the results folder yet.

    With `--notrain` it reads the folder only.

    Args:
        plans: The plans; see `runner.run`.
        given: The command's flags: the folders, and where and how to train.
        console: Shows the progress.
        command: The command line, stored with each result.
        tensorboard_dir: See `runner.run`.
        warn: Whether to print warnings of the folder.

    Raises:
        UsageError: If the suite can't train on the backend, or the request is
            impossible.
        ModuleNotFoundError: If a package is missing.
    """
    require_extra()
    if not given.train.value:
        return _stored(plans, given.results_dir.value, warn)
    environment.choose_backend(given.backend.value)
    environment.threads(None, 1)  # refuses variables that are no numbers
    with console.status("reading results"):
        from keras_asymbp.benchmarks.results import definitions, store
        from keras_asymbp.benchmarks.run import progress, runner

        results = store.Store(given.results_dir.value)
        execution = _execution(given, plans, results)
    if execution.in_process and execution.threads:
        # Read by the backend when it is imported, which is still to come.
        os.environ |= environment.threads(execution.threads, execution.threads)
    data_dir = given.data_dir.value
    _fit_data(plans, data_dir, console)
    try:
        definitions.keep(results.folder, [plan.experiment for plan in plans])
    except OSError as error:
        line = f"can't store the table in {results.folder} ({error.strerror})"
        print(one_line(f"warning: {line}"), file=sys.stderr)
    if warn:
        _warn(plans, results)
    with progress.Display(console) as display:
        failures = runner.run(
            *(plans, results, display, data_dir, command, execution),
            tensorboard_dir=tensorboard_dir,
        )
    return Outcome(results, failures, display.summary())


def _stored(plans, results_dir, warn) -> Outcome:
    from keras_asymbp.benchmarks.results import store
    from keras_asymbp.benchmarks.run import planning

    results = store.Store(results_dir, make=False)
    work = planning.workloads(plans, results)
    if warn:
        _warn(plans, results)
    found = sum(each.stored for each in work)
    trials = counted(sum(each.trials for each in work), "trial")
    return Outcome(results, {}, f"{found} of {trials} found stored")


def _execution(given, plans, results) -> Execution:
    """The execution of the flags; without `--jobs`, the best number for the work."""
    from keras_asymbp.benchmarks.run import planning

    execution = given.execution()
    if given.jobs_given or execution.executor != "local":
        return execution
    jobs = environment.jobs(planning.unfinished(plans, results))
    return dataclasses.replace(execution, jobs=jobs)


def _warn(plans, results):
    """Says which files of a folder do not count, and why."""
    for problem in results.problems:
        print(one_line(f"warning: {problem}"), file=sys.stderr)
    _warn_of_other_content(plans, results)


def _warn_of_other_content(plans, results):
    """Says why stored trials on a data set do not count."""
    versions = {plan.setup.dataset.name: plan.setup.version for plan in plans}
    stored = collections.Counter(
        (trial["settings"].get("dataset"), trial["settings"].get("data_version"))
        for trial in results.trials()
    )
    for (name, version), count in stored.items():
        if name in versions and version != versions[name]:
            words = (
                f"warning: {counted(count, 'stored trial')} on other content of "
                f"{name} ({version}) than it has now: kept, and reported under that "
                "version"
            )
            print(one_line(words), file=sys.stderr)


def _fit_data(plans, data_dir, console):
    """Fits data to the networks where that is not done yet, with a progress bar."""
    from keras_asymbp.benchmarks.datasets import prepared
    from keras_asymbp.benchmarks.run import progress

    fits = dict.fromkeys(
        plan.setup.protocol.fit(plan.setup.dataset, data_dir) for plan in plans
    )
    problems: list[str] = []
    for fit in fits:
        try:
            prepared.load(fit, progress.bar(console))
        except UsageError as error:
            problems += error.args
    if problems:
        raise UsageError(*dict.fromkeys(problems))
