"""The identity of a data set: a digest of its content.

Reading a large data set takes seconds, so its identity is kept in the cache beside the
state of its files, as Git keeps the digests of a working tree. It is used again only
while each file has the same name, inode, size, and times of modification and of change;
a program can set the former time back, but not the latter.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.datasets.cache import cache_root
from keras_asymbp.benchmarks.errors import UsageError

# Times of files are that coarse at most: a file changed since then may change again
# without a trace.
_COARSE = 2 * 10**9
_DIGEST = re.compile("[0-9a-f]{64}")


def identity(digest: str) -> str:
    """The identity of data with this SHA-256 digest, in hexadecimal."""
    return f"sha256-{digest[:16]}"


def of_file(path: pathlib.Path) -> str:
    """The identity of a file's content.

    Raises:
        UsageError: If it can't be read.
    """

    def read():
        with foreign.opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    return remembered("file", path, [path], read)


def of_files(
    root: pathlib.Path, files: Sequence[pathlib.Path], step: str = foreign.GET_AGAIN
) -> str:
    """The identity of the contents of files and of their names in a folder.

    Args:
        root: The folder.
        files: The files.
        step: What the user can do about a file that can't be read.

    Raises:
        UsageError: If one can't be read.
    """

    def read():
        digest = hashlib.sha256()
        for file in files:
            digest.update(os.fsencode(file.relative_to(root)) + b"\0")
            digest.update(hashlib.sha256(foreign.read_bytes(file, step)).digest())
        return digest.hexdigest()

    return remembered("files", root, files, read, step)


def remembered(
    kind: str,
    path: pathlib.Path,
    files: Iterable[pathlib.Path],
    read: Callable[[], str],
    step: str = foreign.GET_AGAIN,
) -> str:
    """The identity of data, read anew if its files have changed.

    Args:
        kind: What `read` computes; another word for another way.
        path: The file or folder of the data.
        files: All files that the digest depends on.
        read: Computes the SHA-256 digest of the data, in hexadecimal.
        step: What the user can do about a file that can't be read.

    Raises:
        UsageError: If a file can't be read, or changes while it is read.
    """
    files = list(files)
    with foreign.guarded(path, step):
        now = time.time_ns()
        state, changed = _state(files, step)
        place = hashlib.sha256(f"{kind}\0".encode() + os.fsencode(path.resolve()))
        record = cache_root() / ".identities" / f"{place.hexdigest()[:32]}.json"
        digest = _recall(record, state)
        if digest is None:
            digest = read()
            if _state(files, step) != (state, changed):
                raise UsageError(
                    f"{path} has changed while it was read: run the command again"
                )
            if changed < now - _COARSE:
                _remember(record, state, digest)
    return identity(digest)


def _state(files, step) -> tuple[str, int]:
    """A digest of what the file system tells of files, and the time of change."""
    digest, changed = hashlib.sha256(), 0
    for file in files:
        stat = foreign.check_regular(file, step)
        numbers = stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
        digest.update(os.fsencode(file.name) + b"\0%d %d %d %d\0" % numbers)
        changed = max(changed, stat.st_ctime_ns)
    return digest.hexdigest(), changed


def _recall(record, state) -> str | None:
    """The digest on record for this state of the files; None without one."""
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        if content["state"] == state and _DIGEST.fullmatch(content["digest"]):
            return str(content["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # without a record, or with a damaged one, the data is read anew
    return None


def _remember(record, state, digest) -> None:
    """Writes the record whole, or not at all: it only saves time."""
    text = json.dumps({"state": state, "digest": digest})
    with contextlib.suppress(OSError):
        record.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=".incomplete-", dir=record.parent, ignore_cleanup_errors=True
        ) as folder:
            temporary = pathlib.Path(folder, record.name)
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(record)
