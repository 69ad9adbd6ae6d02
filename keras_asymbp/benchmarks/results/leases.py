"""Leases: which of several runs on one results folder does what.

The rules, all of which rest on one file system call, the atomic creation of a file:

- A lease on a name is a file, `<name>.<generation>`. Who creates generation n + 1 while
  generation n is out holds the name, and of several that try, one does.
- A lease is out when its holder gave it up, when it was not renewed for a while, or at
  once when its holder died on this machine: then the kernel drops the lock that a
  holder keeps on its file.
- A lease's files are removed only after the result is stored. So whoever takes a lease
  looks for the result afterwards, and never before only.

Ages are differences of times of files in the folder, which one clock sets: that of its
file system. The clocks of the machines don't matter.
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

# Seconds without renewal until a lease is out; renewed six times as often.
EXPIRY = 60.0


class Leases:
    """The leases of this run; a context, which gives up what is still held.

    Args:
        folder: Where the files are, made when the first lease is taken.
        expiry: Seconds without renewal after which a lease is out. The same for all
            runs on the folder.

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

    def take(self, name: str) -> bool:
        """Takes the lease on a name, if nobody holds it; returns whether it did.

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
            # The lock first: what names a holder that has none would be out.
            locked = _try_lock(file, exclusive=True)
            os.write(file, json.dumps({"locked": bool(locked), **_whoami()}).encode())
        except OSError:
            _give_up(file)
            raise
        with self._lock:
            self._held[name] = generation + 1, file
        return True

    def give_up(self, name: str) -> None:
        """Lets others take a name, whose work isn't done. Not held: nothing happens."""
        with self._lock:
            _, file = self._held.pop(name, (0, None))
        if file is not None:
            _give_up(file)

    def finish(self, name: str) -> None:
        """Removes a name's leases, once the result can be seen by all."""
        with self._lock:
            _, file = self._held.pop(name, (0, None))
        if file is not None:
            os.close(file)
        with contextlib.suppress(OSError):
            for generation in self._generations(name):
                self._path(name, generation).unlink(missing_ok=True)

    def renew(self) -> None:
        """Renews what is held, and drops what another has taken over."""
        with self._lock:
            for name, (generation, file) in list(self._held.items()):
                # The folder may have become read-only: then leases run out.
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
        """Whether a lease is still somebody's."""
        try:
            file = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return True  # finished just now: there is a result to be found
        try:
            # Of the open file: a network file system asks its server on opening.
            if self._now() - os.fstat(file).st_mtime > self._expiry:
                return False
            try:
                holder = json.loads(os.read(file, 4096))
            except ValueError:
                return True  # being written
            # Only who shares the holder's kernel can tell by the lock.
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
    """Locks a file: True, or False if another has it, or None if there are no locks."""
    if fcntl is None:
        return None
    kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # the file system has none
        return None
    return True


@functools.cache
def _whoami():
    """For the reader of a lease, and `boot` for other runs: it names a kernel."""
    boot = None
    with contextlib.suppress(OSError):
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return {"boot": boot or None, "host": socket.gethostname(), "process": os.getpid()}
