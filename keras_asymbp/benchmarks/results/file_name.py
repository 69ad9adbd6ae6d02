"""Names of files and folders from a user's names, such as those of data sets."""

import hashlib
import re

# Every file system takes 255 bytes; an id, a number and an ending follow.
_LONGEST = 160


def file_name(text: str) -> str:
    """A text as the name of a file, or its start: never a path, hidden or too long.

    Other characters than ASCII's are replaced, as a system's encoding may lack them. A
    digest keeps apart names that are cut or lose letters.

    >>> file_name("mnist_5k-SGD Top-lr0.5"), file_name("../a")
    ('mnist_5k-SGD_Top-lr0.5', '_a')
    >>> file_name("日本")
    '_-cf2abf0c'
    """
    name = re.sub(r"[^\w.+-]+", "_", text, flags=re.ASCII).strip(".") or "_"
    if text.isascii() and len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{name[:_LONGEST]}-{digest}"
