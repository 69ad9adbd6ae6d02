"""Starts a command: absl's flags, and the guard around its process."""

import faulthandler
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from absl import app, flags, logging

from keras_asymbp.benchmarks import guard
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.escaping import shell
from keras_asymbp.benchmarks.escaping.printable import one_line

if TYPE_CHECKING:
    from keras_asymbp.benchmarks.results.store import Store


def start(
    run: Callable[..., int | None],
    doc: str | None,
    stopped: str,
    takes_arguments: bool = False,
) -> None:
    """Parses the flags, runs the command, and ends the process; see `guard.run`.

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

    def work() -> int | None:
        _define_help(doc)
        arguments = _parse_flags()
        faulthandler.enable()
        if flags.FLAGS["verbosity"].present:
            logging.use_absl_handler()
        else:
            logging.set_verbosity(logging.WARNING)  # TFDS logs every attempt
        if takes_arguments:
            return run(arguments)
        if arguments:
            raise UsageError(
                f"unexpected argument '{arguments[0]}': flags start with --"
            )
        return run()

    guard.run(work, stopped)


def _define_help(doc):
    """Makes `--help` describe the command, whichever module was started.

    absl describes the started module by its docstring and the flags defined in it; that
    module may be the console script, and some flags are defined for several commands.
    """
    # absl's own flags for debugging work in `app.run` only.
    for flag in list(flags.FLAGS.flags_by_module_dict().get(app.__name__, ())):
        delattr(flags.FLAGS, flag.name)
    app.define_help_flags()
    sys.modules["__main__"].__doc__ = doc
    package = __name__.partition(".")[0]
    for module, defined in list(flags.FLAGS.flags_by_module_dict().items()):
        if module.partition(".")[0] == package:
            for flag in defined:
                flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)


def _parse_flags() -> list[str]:
    """Parses the flags; returns the other arguments."""
    try:
        return flags.FLAGS(sys.argv)[1:]
    except SystemExit:
        sys.exit(0)  # after --help, for which absl's exit code is 1
    except (flags.Error, ValueError, TypeError, OSError) as error:
        raise UsageError(f"{error} (--help lists the flags)") from error


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
