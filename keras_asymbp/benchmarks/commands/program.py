"""Starts and ends a command's process: absl's flags, one-line errors, exit codes."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from absl import app, flags, logging

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.escaping import shell
from keras_asymbp.benchmarks.escaping.printable import one_line

if TYPE_CHECKING:
    from keras_asymbp.benchmarks.results.store import Store

# Packages outside the extra "benchmarks", and their extras.
_EXTRAS = {
    "jax": "jax",
    "matplotlib": "plots",
    "ray": "ray",
    "tensorboard": "tensorboard",
}


def start(
    run: Callable[..., int | None],
    doc: str | None,
    stopped: str,
    takes_arguments: bool = False,
) -> None:
    """Parses the flags, runs the command, and ends the process with its exit code.

    The exit code is 2 for a request that cannot be met, 130 after Ctrl-C.

    Args:
        run: Does the command's work; returns its exit code, or None for 0.
        doc: The beginning of `--help`: the docstring of the command's module.
        stopped: Message after Ctrl-C.
        takes_arguments: Whether arguments other than flags are passed to `run`, as a
            list; otherwise they are an error.
    """
    # Twice as fast where TensorFlow leaves it off; it is read at TensorFlow's import.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    _make_help(doc)

    def guarded(argv: list[str]) -> int:
        if not flags.FLAGS["verbosity"].present:
            logging.set_verbosity(logging.WARNING)  # TFDS logs every attempt
        try:
            if takes_arguments:
                return run(argv[1:]) or 0
            if len(argv) > 1:
                raise UsageError(
                    f"unexpected argument '{argv[1]}': flags start with --"
                )
            return run() or 0
        except UsageError as error:
            fail(error)
        except ModuleNotFoundError as error:
            fail(UsageError(_not_installed(error.name)))
        except KeyboardInterrupt:
            print(stopped, file=sys.stderr)
        return 130

    app.run(guarded, flags_parser=_parse_flags)


def _make_help(doc: str | None) -> None:
    """Makes `--help` describe the command, whichever module was started.

    absl describes the started module by its docstring and the flags defined in it; that
    module may be the console script, and some flags are defined for several commands.
    """
    sys.modules["__main__"].__doc__ = doc
    package = __name__.partition(".")[0]
    for module, defined in list(flags.FLAGS.flags_by_module_dict().items()):
        if module.partition(".")[0] == package:
            for flag in defined:
                flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)


def _parse_flags(argv):
    try:
        return flags.FLAGS(argv)
    except (flags.Error, ValueError) as error:
        fail(UsageError(f"{error} (--help lists the flags)"))
    except SystemExit:
        sys.exit(0)  # after --help, for which absl's exit code is 1


def _not_installed(name: str | None) -> str:
    extra = _EXTRAS.get(str(name).partition(".")[0], "benchmarks")
    return f"{name} is not installed: pip install 'keras-asymbp[{extra}]' brings it"


def typed(module: str) -> str:
    """This command line, as a user can type it again, however it was started."""
    return shell.join(["python", "-m", module, *sys.argv[1:]])


def write_or_warn(
    results: "Store", write: Callable[..., Any], *arguments: Any, failed: bool = False
) -> Any:
    """Writes a report into the results folder.

    A report that cannot be written is an error; it is only a warning if the run has
    failed anyway, or if trials cannot be written there, either.

    Args:
        results: The store.
        write: Writes the report.
        *arguments: The arguments of `write`.
        failed: Whether the run has failed.

    Returns:
        The value of `write`, or True if that is None; False after a warning.

    Raises:
        UsageError: If the report cannot be written, and that is an error.
    """
    try:
        return write(*arguments) or True
    except OSError as error:
        line = f"can't write the report into {results.folder} ({error.strerror})"
        if failed or not results.writable:
            print(one_line(f"warning: {line}"), file=sys.stderr)
            return False
        raise UsageError(
            f"{line}: finished trials are kept; fix that and run the same command again"
        ) from error


def fail(error: UsageError) -> NoReturn:
    """Prints an error and ends the process with exit code 2."""
    for line in error.args:
        # A name or a path may contain a line break; the message stays one line.
        print(f"error: {' '.join(str(line).split())}", file=sys.stderr)
    sys.exit(2)
