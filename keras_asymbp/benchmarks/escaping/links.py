"""Links to files, which may have any name."""

import os
import urllib.parse


def to_file(path: str) -> str:
    r"""The relative address of a file, for HTML and Markdown.

    >>> to_file("trials/a (b)#\udcff.json")
    'trials/a%20%28b%29%23%FF.json'
    """
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        name = path.encode("utf-8", "surrogatepass")
    return urllib.parse.quote(name)
