"""What the package's commands share: absl's flags, and errors in one line."""

import os
import shlex
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from absl import app, flags, logging

from keras_asymbp.benchmarks.errors import UsageError

_EXTRAS = {
    "matplotlib": "plots",
    "ray": "ray",
    "tensorboard": "tensorboard",
}  # of a package that isn't in the extra "benchmarks"


def start(
    run: Callable[..., int | None],
    module: dict[str, Any],
    stopped: str,
    takes_arguments: bool = False,
) -> None:
    """Parses the flags, runs, and ends the process with its exit code.

    2 for a request that can't be met, 130 for Ctrl-C.

    Args:
        run: What the command does; returns its exit code.
        module: The command's `globals()`: its docstring and flags are the help's.
        stopped: What is said after Ctrl-C.
        takes_arguments: Whether what isn't a flag is given to `run`, as a list, and
            not refused.
    """
    # Twice as fast where TensorFlow leaves it off; it is read at TensorFlow's import.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # absl's help tells of the module that was started: by the name keras-asymbp, that
    # is a script which isn't the command's file.
    sys.modules["__main__"].__doc__ = module["__doc__"]
    for value in module.values():
        if isinstance(value, flags.FlagHolder):
            flags.FLAGS.register_key_flag_for_module(
                sys.argv[0], flags.FLAGS[value.name]
            )

    def guarded(argv: list[str]) -> int:
        if not flags.FLAGS["verbosity"].present:
            logging.set_verbosity(logging.WARNING)  # TFDS tells of all that it tries
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


def _parse_flags(argv):
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        fail(UsageError(f"{error} (--help lists the flags)"))
    except SystemExit:
        sys.exit(0)  # --help, which absl ends as an error


def _not_installed(name: str | None) -> str:
    extra = _EXTRAS.get(str(name).partition(".")[0], "benchmarks")
    return f"{name} is not installed: pip install 'keras-asymbp[{extra}]' brings it"


def typed(module: str) -> str:
    """This command line, as it can be typed again, whatever started it."""
    return shlex.join(["python", "-m", module, *sys.argv[1:]])


def write(results: Any, write: Callable[..., Any], *what: Any, failed=False) -> Any:
    """Writes a report.

    If the run failed, or the folder is read-only and was only looked at, it need not.

    Args:
        results: The store.
        write: What writes it; called with the rest.
        what: Of what it is.
        failed: Whether the run has failed.

    Returns:
        What `write` returned, or True; False if the report couldn't be written.

    Raises:
        UsageError: If it couldn't be written, and has to be.
    """
    try:
        return write(*what) or True
    except OSError as error:
        line = f"can't write the report into {results.folder} ({error.strerror})"
        if failed or not results.writable:
            print(f"warning: {line}", file=sys.stderr)
            return False
        raise UsageError(
            f"{line}: finished trials are kept; mend that and give the same command "
            "again"
        ) from error


def fail(error: UsageError) -> NoReturn:
    """Ends the process as for a request that can't be met."""
    for line in error.args:
        # One line, whatever a name or a path has in it.
        print(f"error: {' '.join(str(line).split())}", file=sys.stderr)
    sys.exit(2)
