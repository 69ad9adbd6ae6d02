"""Atomic writing: a file exists whole or not at all."""

import errno
import os
import pathlib
import uuid

# Start and end of the name of a file that is being written.
TEMPORARY = ".", ".tmp"
_OTHERS = "backslashreplace"
# Errors of file systems without hard links.
_NO_LINKS = errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK


def write_atomically(
    path: pathlib.Path, content: str | bytes, replace: bool = True
) -> None:
    """Writes a file whole or, if interrupted, not at all.

    Args:
        path: The file.
        content: Its content; a text is written in UTF-8.
        replace: Whether an existing file is replaced.

    Raises:
        FileExistsError: If the file exists and `replace` is false.
        OSError: If the file can't be written.
    """
    start, end = TEMPORARY
    temporary = path.parent / f"{start}{uuid.uuid4().hex}{end}"
    # Unlike a file of `tempfile`, with the permissions of the user's umask.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            if isinstance(content, str):
                # Bytes of a path that are not UTF-8 can't be written as such.
                content = content.encode(errors=_OTHERS)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(temporary, path)
        else:
            _rename_to_new(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _rename_to_new(temporary, path):
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if path.exists():
            raise FileExistsError(errno.EEXIST, "is there", str(path)) from error
        os.replace(temporary, path)
    else:
        os.unlink(temporary)
