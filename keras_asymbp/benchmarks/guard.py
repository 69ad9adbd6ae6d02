"""The guard around a command's process: output, Ctrl-C, and errors as one line.

`keras_asymbp` installs it before it imports anything else. What the guard imports is
of the standard library.
"""

import errno
import io
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.escaping.printable import one_line

# Packages outside the extra "benchmarks", and their extras.
_EXTRAS = {
    "jax": "jax",
    "matplotlib": "plots",
    "ray": "ray",
    "tensorboard": "tensorboard",
}
_stopped = "stopped"  # the message after Ctrl-C
_at_work = False  # whether Ctrl-C has to end work in order
_interrupted = False
_errors: io.TextIOWrapper | None = None  # the user's, while `sys.stderr` is a log


def install() -> None:
    """Guards this process; a worker process of `multiprocessing` is left alone.

    Output that fails, for a closed pipe or a full disk, ends no work: what follows is
    dropped, and `run` reports it at the end. Characters that the output can't encode
    are escaped. What TensorFlow's C++ code writes to file descriptor 2 is dropped,
    unless TF_CPP_MIN_LOG_LEVEL is 0: its first lines obey no setting.
    """
    global _errors
    if "--multiprocessing-fork" in sys.orig_argv:
        return
    for descriptor in range(3):  # files opened later must not get the number of one
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = output(sys.stdout, 1)
    sys.stderr = _errors = output(sys.stderr, os.dup(2))
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") != "0":
        write_to(os.devnull, 2)
    sys.excepthook = lambda kind, error, trace: _end(_explain(error))
    sys.unraisablehook = _unraisable
    # A shell starts background jobs with SIGINT ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def write_to(file: str | os.PathLike, *descriptors: int) -> None:
    """Appends what is written to file descriptors to a file."""
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for descriptor in descriptors:
        os.dup2(opened, descriptor)
    os.close(opened)


def run(work: Callable[[], int | None], stopped: str = "stopped") -> NoReturn:
    """Runs a command, and ends the process with its exit code.

    The exit code is 2 after an error that the user can mend, 130 after Ctrl-C, and that
    of SIGPIPE, 141, if the reader of a pipe left early.

    Args:
        work: Does the work; returns the exit code, or None for 0.
        stopped: Message after Ctrl-C.
    """
    global _stopped, _at_work
    _stopped, _at_work = stopped, True
    try:
        code = work() or 0
    except BaseException as error:
        code = _explain(error)
    if _interrupted:  # by an exception that got lost in a library
        _stop()
    _end(code)


def interrupted() -> bool:
    """Whether there was a Ctrl-C; libraries turn its exception into others."""
    return _interrupted


def print_error(error: UsageError) -> None:
    for line in error.args:
        print(f"error: {one_line(line).strip()}", file=sys.stderr)


class _Output(io.FileIO):
    """A descriptor whose first error is kept; from there on, output is dropped."""

    error: OSError | None = None
    reported = False

    def write(self, data: Any) -> int:
        if self.error is None:
            try:
                return super().write(data)
            except OSError as error:
                self.error = error
        return memoryview(data).nbytes


def output(stream: Any, descriptor: int) -> io.TextIOWrapper:
    """A text stream like one of Python's; errors are kept, unknown letters escaped."""
    raw = _Output(descriptor, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(stream, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=descriptor != 1 or raw.isatty(),
        write_through=getattr(stream, "write_through", False),
    )


def _interrupt(number, frame):
    global _interrupted
    if not _at_work or _interrupted:  # nothing to end in order, or the second Ctrl-C
        _stop()
    _interrupted = True
    raise KeyboardInterrupt


def _stop() -> NoReturn:
    """Ends the process after Ctrl-C, at once: a second one would interrupt its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.flush()
    print(_stopped, file=_errors or sys.stderr, flush=True)
    os._exit(128 + signal.SIGINT)


def _unraisable(unraisable):
    """An interrupt in a destructor or a callback would be lost."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        _stop()
    sys.__unraisablehook__(unraisable)


def _explain(error: BaseException) -> int:
    """Prints an error, as one line if possible; returns the exit code."""
    if isinstance(error, SystemExit) and not isinstance(error.code, str):
        return error.code or 0
    if _interrupted or isinstance(error, KeyboardInterrupt):
        _stop()
    line = _line(error)
    if line is None:
        import traceback  # slow: only if needed

        traceback.print_exception(error)
        return 1
    print_error(line)
    return 2


def _line(error) -> UsageError | None:
    """What the user can do about an error; None for one of the program itself."""
    if isinstance(error, UsageError):
        return error
    if isinstance(error, ModuleNotFoundError):
        package = str(error.name).partition(".")[0]
        extra = _EXTRAS.get(package, "benchmarks")
        return UsageError(
            f"{error.name} is not installed: pip install 'keras-asymbp[{extra}]' "
            "brings it"
        )
    if isinstance(error, ImportError):
        return UsageError(
            f"a package can't be imported ({error}): install it again with pip install "
            "--force-reinstall 'keras-asymbp[benchmarks]'"
        )
    if isinstance(error, MemoryError):
        return UsageError("out of memory: close other programs, or ask for less")
    if isinstance(error, OSError) and error.strerror:
        name = f" '{os.fsdecode(error.filename)}'" if error.filename else ""
        return UsageError(
            f"can't read or write{name} ({error.strerror}): mend that and run the same "
            "command again"
        )
    return None


def _end(code: int) -> NoReturn:
    """Ends the process, unless an exception has to do so."""
    global _at_work
    _at_work = False
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(raw, _Output) and raw.error and not raw.reported:
        raw.reported = True  # a subcommand ends before the program
        if raw.error.errno == errno.EPIPE:
            sys.exit(code or 128 + signal.SIGPIPE)
        print_error(
            UsageError(
                f"can't write the output ({raw.error.strerror}): mend that and run the "
                "same command again"
            )
        )
        code = code or 2
    sys.exit(code)
