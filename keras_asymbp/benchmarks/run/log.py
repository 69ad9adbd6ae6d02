"""The log of a process that trains: what its libraries write, in the results folder."""

import contextlib
import datetime
import functools
import itertools
import os
import pathlib
import socket
import sys
from collections.abc import Iterator

from keras_asymbp.benchmarks import guard

FOLDER = "logs"
_LINES, _LENGTH = 10, 200  # shown of a log
_numbers = itertools.count(1)


class Log:
    """A log, one for each process.

    Args:
        folder: The results folder; without it, nothing is kept.
    """

    def __init__(self, folder: str | os.PathLike | None):
        self.path: pathlib.Path | None = None
        if folder is not None:
            now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
            process = f"{socket.gethostname()}-{os.getpid()}-{next(_numbers)}"
            self.path = pathlib.Path(folder, FOLDER, f"{now}-{process}.log")

    def take(self, *descriptors: int) -> None:
        """Writes to it what this process writes to file descriptors."""
        try:
            if self.path is None:
                return
            self.path.parent.mkdir(exist_ok=True)
            guard.write_to(self.path, *descriptors)
        except OSError:  # a full disk; what matters is reported where it fails
            guard.write_to(os.devnull, *descriptors)

    @contextlib.contextmanager
    def taking_errors(self) -> Iterator[None]:
        """Writes to it what goes to file descriptor 2 and to `sys.stderr` meanwhile."""
        if self.path is None:
            yield
            return
        sys.stderr.flush()
        before = os.dup(2)
        self.take(2)
        try:
            with contextlib.redirect_stderr(_descriptor_2()):
                yield
        finally:
            os.dup2(before, 2)
            os.close(before)

    def end(self) -> None:
        """Removes it if nothing was written."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                if not self.path.stat().st_size:
                    self.path.unlink()
                    self.path.parent.rmdir()

    def last_lines(self) -> str:
        """What to show when the process has died."""
        text = ""
        if self.path is not None:
            with contextlib.suppress(OSError):
                text = self.path.read_text(encoding="utf-8", errors="replace")
        lines = map(_printable, text.splitlines()[-_LINES:])
        return "\n".join([f"last lines of {self.path}:", *lines]) if text else ""

    def reference(self) -> str:
        """Where the traceback of a failed task is."""
        exists = self.path is not None and self.path.exists()
        return f"traceback in {self.path}" if exists else ""


@functools.cache
def _descriptor_2():
    """A stream that stays open: TensorFlow keeps the one of its import."""
    return open(
        2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
    )


def _printable(line):
    return "  " + "".join(c if c.isprintable() else " " for c in line)[:_LENGTH]
