"""A Slurm script whose tasks share the work of one command."""

import pathlib
from collections.abc import Sequence

import jinja2

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.escaping import shell
from keras_asymbp.benchmarks.run.executors import Execution

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
)


def script(
    tasks: int, execution: Execution, command: Sequence[str], folder: str
) -> str:
    """Returns a script for `sbatch`: a job array whose tasks all run the command.

    The tasks share the work by leases in the results folder, which all must reach. A
    task gets a CPU per training thread.

    Args:
        tasks: Number of tasks.
        execution: The command's execution: its numbers of processes and threads.
        command: The program and its arguments, without `--sbatch`.
        folder: Working folder of the command.

    Raises:
        UsageError: If the number of tasks is below 1, or the executor is Ray.

    Example:
        >>> text = script(4, Execution(jobs=2), ["python", "-m", "x"], "/home/me")
        >>> print(*text.splitlines()[-2:], sep="\\n")
        cd /home/me
        python -m x
    """
    if tasks < 1:
        raise UsageError(f"--sbatch must be 1 or more, not {tasks}")
    if execution.executor != "local":
        raise UsageError(
            f"--sbatch is not for --executor {execution.executor}: the tasks share "
            "the work through the results folder"
        )
    return _TEMPLATES.get_template("slurm.sh.jinja").render(
        tasks=tasks,
        cpus=execution.jobs * (execution.threads or 1),
        folder=shell.quote(folder),
        command=shell.join(command),
    )


def without_flag(arguments: Sequence[str], flag: str) -> list[str]:
    """The arguments without a flag and its value.

    >>> without_flag(["-m", "x", "--sbatch", "4", "--jobs=2"], "sbatch")
    ['-m', 'x', '--jobs=2']
    """
    kept, rest = [], iter(arguments)
    for argument in rest:
        name, separator, _ = argument.partition("=")
        if name not in (f"-{flag}", f"--{flag}"):
            kept.append(argument)
        elif not separator:
            next(rest, None)
    return kept
