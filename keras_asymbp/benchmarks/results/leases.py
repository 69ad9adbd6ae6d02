"""Leases: they divide the work among several runs on one results folder.

All rules rest on one file system call, the atomic creation of a file:

- A lease on a name is a file, `<name>.<generation>`, with generations from 1 on. The
  run that creates generation n + 1 after generation n has expired holds the name; if
  several try, one succeeds.
- A lease expires when its holder gives it up, when it is not renewed in time, or at
  once when its holder dies on this machine: the kernel then drops the holder's lock on
  a file of its own, `run-<number>.lock`, that all its leases name.
- A lease's files are removed only after the result is stored. A run must therefore look
  for the result after it has taken the lease.
- What has the name of a lease and is none, such as a folder, holds nothing.

Ages are differences between times of files in the folder. All are set by the clock of
its file system, so the clocks of the machines do not matter. If that clock was set
back, a lease from the future expires once it has not changed for as long as a lease
lasts.
"""

# Why not filelock's `SoftFileLease` (4.3.1), the nearest library: each of its leases
# keeps a file open and a thread running, and 1,100 rates need 1,100 leases. It reads no
# clock of the file system: an expired lease is taken over only once it has been watched
# for another expiry. A dead holder is known by process number, its start time and host
# name, which two containers may share; the kernel's lock is not.

import contextlib
import functools
import itertools
import json
import os
import pathlib
import re
import socket
import stat
import tempfile
import threading
import time
import uuid
from typing import Any

from keras_asymbp.benchmarks.tables.form import (
    ANYTHING,
    TEXT,
    Fields,
    Kind,
    Nullable,
    fault,
    whole,
)

try:
    import fcntl
except ImportError:  # Windows: a dead holder's lease lasts until it expires
    fcntl = None  # type: ignore[assignment]

# Seconds without renewal until a lease expires; it is renewed six times as often.
EXPIRY = 60.0
# Opening anything but a file neither waits nor follows a link.
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
_RUN = re.compile(r"run-[0-9a-f]{32}\.lock")
# The content of a lease; earlier versions have no `run`.
_LEASE = Fields(
    {"boot": Nullable(TEXT), "host": TEXT, "process": whole(0)},
    {"run": Nullable(Kind("a run's file", lambda v: bool(_RUN.fullmatch(str(v)))))},
    others=ANYTHING,
)


class Leases:
    """The leases of this run; a context that gives up the remaining ones at its end.

    Args:
        folder: Folder of the lease files, made when the first lease is taken.
        expiry: Seconds without renewal after which a lease expires; must be the same
            for all runs on the folder.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder, Leases(folder) as leases:
        ...     leases.take("a"), leases.take("a")
        (True, False)
    """

    def __init__(self, folder: str | os.PathLike, expiry: float = EXPIRY):
        self._folder = pathlib.Path(folder)
        self._expiry = expiry
        self._held: dict[str, int] = {}  # generations
        self._lock = threading.Lock()
        self._run = f"run-{uuid.uuid4().hex}.lock"
        self._life: Any = None  # that file, open
        self._locked = False
        self._future: dict[pathlib.Path, tuple[float, float]] = {}
        self._clock: Any = None
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self):
        self._heart.start()
        return self

    def __exit__(self, *exception):
        self._ended.set()
        self._heart.join()
        for name in list(self._held):
            self.give_up(name)
        if self._clock:
            self._clock.close()
        if self._life:
            with contextlib.suppress(OSError):
                (self._folder / self._run).unlink()
            self._life.close()

    @property
    def held(self) -> tuple[str, ...]:
        """The names that this run holds."""
        return tuple(self._held)

    def take(self, name: str) -> bool:
        """Takes the lease on a name if it is free; returns whether it did.

        Raises:
            OSError: If the folder can't be written to.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        generation = self._last(name)
        if generation and self._holds(self._path(name, generation)):
            return False
        # The run's file is locked before a lease names it.
        content = json.dumps({**_whoami(), "run": self._show_life()}).encode()
        path = self._path(name, generation + 1)
        try:
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        try:
            os.write(file, content)
        except OSError:
            _expire(path)
            raise
        finally:
            os.close(file)
        with self._lock:
            self._held[name] = generation + 1
        return True

    def give_up(self, name: str) -> None:
        """Frees a name with unfinished work; does nothing if it is not held."""
        with self._lock:
            generation = self._held.pop(name, None)
        if generation is not None:
            _expire(self._path(name, generation))

    def finish(self, name: str) -> None:
        """Removes a name's leases; call it once all runs can see the result."""
        with self._lock:
            held = self._held.pop(name, 0)
        # From the last one down, so that `_last` finds the others. Ours may be beyond:
        # taken while another run finished the name, the generations before it are gone.
        for generation in range(max(held, self._last(name)), 0, -1):
            with contextlib.suppress(OSError):
                self._path(name, generation).unlink()

    def renew(self) -> None:
        """Renews the held leases, and drops those that another run has taken."""
        with self._lock:
            for name, generation in list(self._held.items()):
                # If the folder has become read-only, leases expire.
                with contextlib.suppress(OSError):
                    if os.path.lexists(self._path(name, generation + 1)):
                        del self._held[name]
                    else:
                        os.utime(self._path(name, generation))

    def _beat(self):
        while not self._ended.wait(self._expiry / 6):
            self.renew()

    def _path(self, name, generation):
        return self._folder / f"{name}.{generation}"

    def _last(self, name):
        """The last generation of a name's leases; 0 without any."""
        generations = itertools.count(1)
        return next(
            n - 1 for n in generations if not os.path.lexists(self._path(name, n))
        )

    def _holds(self, path):
        """Whether a lease is still held."""
        try:
            changed, content = _read(path)
        except FileNotFoundError:
            return True  # just finished: its result is stored
        if content is None or self._is_expired(path, changed):
            return False
        try:
            holder = json.loads(content)
        except (ValueError, RecursionError):
            return True  # being written, or unreadable: it expires
        return fault(holder, _LEASE) is None and not self._is_dead(holder)

    def _is_expired(self, path, changed):
        age = self._now() - changed
        if age >= 0:
            return age > self._expiry
        # The clock was set back: whether it is renewed must be watched.
        now = time.monotonic()
        seen, since = self._future.setdefault(path, (changed, now))
        if seen != changed:
            self._future[path] = changed, now
            return False
        return now - since > self._expiry

    def _is_dead(self, holder):
        """Whether a lease's holder died under this machine's kernel."""
        run, boot = holder.get("run"), holder["boot"]
        if not run or not boot or boot != _whoami()["boot"]:
            return False  # its lock is not visible here
        try:
            file = os.open(self._folder / run, _OPEN)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        try:
            dead = bool(_try_lock(file, exclusive=False))
            if dead:
                with contextlib.suppress(OSError):
                    (self._folder / run).unlink()
            return dead
        finally:
            os.close(file)

    def _show_life(self):
        """Locks a file of this run, once; returns its name, None without locks."""
        if self._life is None:
            self._life = open(self._folder / self._run, "xb")  # noqa: SIM115
            self._locked = bool(_try_lock(self._life, exclusive=True))
        return self._run if self._locked else None

    def _now(self):
        """The file system's time."""
        if self._clock is None:
            self._clock = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
        os.utime(self._clock.fileno())
        return os.fstat(self._clock.fileno()).st_mtime


def _read(path):
    """When a lease changed last, and its content: None if it is no file."""
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        return status.st_mtime, None
    try:
        file = os.open(path, _OPEN)
    except PermissionError:
        return status.st_mtime, b""
    try:
        # Time of the open file: a network file system asks its server on opening.
        return os.fstat(file).st_mtime, os.read(file, 4096)
    finally:
        os.close(file)


def _expire(path):
    with contextlib.suppress(OSError):
        os.utime(path, (0, 0))


def _try_lock(file, exclusive):
    """Locks a file: True, False if another process has it, None without locks."""
    if fcntl is None:
        return None
    kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # the file system has no locks
        return None
    return True


@functools.cache
def _whoami():
    """The holder; `boot` identifies its kernel to other runs."""
    boot = None
    with contextlib.suppress(OSError):
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return {"boot": boot or None, "host": socket.gethostname(), "process": os.getpid()}
