"""Leases: they divide the work among several runs on one results folder.

All rules rest on one file system call, the atomic creation of a file:

- A lease on a name is a file, `<name>.<generation>`. The run that creates generation
  n + 1 after generation n has expired holds the name; if several try, one succeeds.
- A lease expires when its holder gives it up, when it is not renewed in time, or at
  once when its holder dies on this machine: the kernel then drops the holder's lock on
  the file.
- A lease's files are removed only after the result is stored. A run must therefore look
  for the result after it has taken the lease.

Ages are differences between times of files in the folder. All are set by the clock of
its file system, so the clocks of the machines do not matter.
"""

import contextlib
import functools
import json
import os
import pathlib
import socket
import tempfile
import threading
from typing import Any

try:
    import fcntl
except ImportError:  # Windows: a dead holder's lease lasts until it expires
    fcntl = None  # type: ignore[assignment]

# Seconds without renewal until a lease expires; it is renewed six times as often.
EXPIRY = 60.0


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
        self._held: dict[str, tuple[int, int]] = {}  # generation and open file
        self._lock = threading.Lock()
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
        generation = max(self._generations(name), default=0)
        if generation and self._holds(self._path(name, generation)):
            return False
        path = self._path(name, generation + 1)
        try:
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        except FileExistsError:
            return False
        try:
            # Lock before writing: a lease with a holder but no lock counts as expired.
            locked = _try_lock(file, exclusive=True)
            os.write(file, json.dumps({"locked": bool(locked), **_whoami()}).encode())
        except OSError:
            _give_up(file)
            raise
        with self._lock:
            self._held[name] = generation + 1, file
        return True

    def give_up(self, name: str) -> None:
        """Frees a name with unfinished work; does nothing if it is not held."""
        with self._lock:
            _, file = self._held.pop(name, (0, None))
        if file is not None:
            _give_up(file)

    def finish(self, name: str) -> None:
        """Removes a name's leases; call it once all runs can see the result."""
        with self._lock:
            _, file = self._held.pop(name, (0, None))
        if file is not None:
            os.close(file)
        with contextlib.suppress(OSError):
            for generation in self._generations(name):
                self._path(name, generation).unlink(missing_ok=True)

    def renew(self) -> None:
        """Renews the held leases, and drops those that another run has taken."""
        with self._lock:
            for name, (generation, file) in list(self._held.items()):
                # If the folder has become read-only, leases expire.
                with contextlib.suppress(OSError):
                    if max(self._generations(name), default=0) > generation:
                        os.close(self._held.pop(name)[1])
                    else:
                        os.utime(file)

    def _beat(self):
        while not self._ended.wait(self._expiry / 6):
            self.renew()

    def _path(self, name, generation):
        return self._folder / f"{name}.{generation}"

    def _generations(self, name):
        with os.scandir(self._folder) as entries:
            parts = [entry.name.rpartition(".") for entry in entries]
        return [int(n) for stem, _, n in parts if stem == name and n.isdecimal()]

    def _holds(self, path):
        """Whether a lease is still held."""
        try:
            file = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return True  # just finished: its result is stored
        try:
            # Time of the open file: a network file system asks its server on opening.
            if self._now() - os.fstat(file).st_mtime > self._expiry:
                return False
            try:
                holder = json.loads(os.read(file, 4096))
            except ValueError:
                return True  # being written
            # The lock is visible only under the holder's kernel.
            dead = (
                holder["locked"]
                and holder["boot"]
                and holder["boot"] == _whoami()["boot"]
                and _try_lock(file, exclusive=False)
            )
            return not dead
        finally:
            os.close(file)

    def _now(self):
        """The file system's time."""
        if self._clock is None:
            self._clock = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
        os.utime(self._clock.fileno())
        return os.fstat(self._clock.fileno()).st_mtime


def _give_up(file):
    with contextlib.suppress(OSError):
        os.utime(file, (0, 0))
    os.close(file)


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
