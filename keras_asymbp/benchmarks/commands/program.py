"""Starts a command: absl's flags, and the guard around its process."""

import faulthandler
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from absl import app, flags, logging

from keras_asymbp import __version__
from keras_asymbp._names import did_you_mean
from keras_asymbp.benchmarks import guard
from keras_asymbp.benchmarks.commands import help
from keras_asymbp.benchmarks.commands.flags import groups
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.escaping import shell
from keras_asymbp.benchmarks.escaping.printable import one_line

version = f"keras-asymbp {__version__}"

if TYPE_CHECKING:
    from keras_asymbp.benchmarks.results.store import Store


def start(
    run: Callable[..., int | None],
    name: str,
    doc: str | None,
    stopped: str = "stopped",
    arguments: str = "",
) -> None:
    """Parses the flags, runs the command, and ends the process; see `guard.run`.

    Args:
        run: Does the command's work; returns its exit code, or None for 0.
        name: The command as it is typed, for `--help`.
        doc: Its description there: the docstring of the command's module.
        stopped: Message after Ctrl-C.
        arguments: For `--help`, the arguments that are no flags, which are passed to
            `run` as a list. If empty, such arguments are an error.
    """
    # Twice as fast where TensorFlow leaves it off; it is read at TensorFlow's import.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

    def work() -> int | None:
        _define_help(name, doc, arguments)
        words = _parse_flags()
        faulthandler.enable()
        if flags.FLAGS["verbosity"].present:
            logging.use_absl_handler()
        else:
            logging.set_verbosity(logging.WARNING)  # TFDS logs every attempt
        if arguments:
            return run(words)
        if words:
            question = did_you_mean(words[0], _names())
            raise UsageError(
                f"unexpected argument '{words[0]}': flags start with --"
                + (question and f"; {question}")
            )
        return run()

    guard.run(work, stopped)


class _Show(flags.BooleanFlag):
    """A switch that prints a text and ends the process."""

    def __init__(self, name: str, show: Callable[[], str], text: str, **options: Any):
        super().__init__(name, False, text, **options)
        self._show = show

    def parse(self, argument: Any) -> None:
        if self._parse(argument):
            print(self._show())
            sys.exit()


def _define_help(name, doc, arguments):
    """Defines the flags of `--help`, instead of absl's, which list by module.

    absl stays for all else: users of TensorFlow and TFDS know its flags, stored results
    have command lines of its form (`--nowhole_epochs`, `-exp C2`, `--flagfile`), and no
    other library parses all of these.
    """

    def show(full: bool) -> Callable[[], str]:
        return lambda: help.text(name, doc, flags.FLAGS, arguments, full)

    # absl's own flags for debugging work in `app.run` only.
    for flag in list(flags.FLAGS.flags_by_module_dict().get(app.__name__, ())):
        delattr(flags.FLAGS, flag.name)
    for shown in (
        _Show("help", show(False), "Show this help; -h for short.", short_name="h"),
        _Show("helpfull", show(True), "Show the flags of logging, too."),
        _Show("version", lambda: version, "Print the version."),
    ):
        flags.DEFINE_flag(shown, flags.FLAGS, groups.HELP)
    short = _Show("helpshort", show(False), "The same as --help.", short_name="?")
    for rare in (short, app.HelpXMLFlag()):
        flags.DEFINE_flag(rare, flags.FLAGS, app.__name__)


def _names() -> list[str]:
    """The flags as they are typed, those of libraries left out."""
    found = [flag for members in help.groups(flags.FLAGS).values() for flag in members]
    switches = [f"--no{flag.name}" for flag in found if flag.boolean]
    return [*(f"--{flag.name}" for flag in found), *switches]


def _parse_flags() -> list[str]:
    """Parses the flags; returns the other arguments."""
    try:
        return flags.FLAGS(sys.argv)[1:]
    except SystemExit:
        sys.exit(0)  # after --helpxml, for which absl's exit code is 1
    except flags.UnrecognizedFlagError as error:
        question = did_you_mean(error.flagname, _names())
        raise UsageError(
            f"unknown flag '--{error.flagname}': --help lists the flags"
            + (question and f"; {question}")
        ) from error
    except flags.CantOpenFlagFileError as error:
        # absl's own words are no sentence.
        raise (error.__context__ or error) from error
    except (flags.Error, ValueError, TypeError, OSError) as error:
        words = str(error)
        if isinstance(error, UnicodeDecodeError):  # arguments are always decoded
            words = f"a file of --flagfile is no text in {error.encoding}"
        raise UsageError(f"{words} (--help lists the flags)") from error


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
