"""Puts what stands here for a peer's options on a page, from the data of the package.

A comment `<!-- options of BIOTORCH -->` becomes a table of `peers.BIOTORCH`: a row for
each option, and for each of its values where these have names of their own here.
"""

import importlib.util
import pathlib
import re

_DATA = pathlib.Path(__file__).parents[2] / "keras_asymbp" / "benchmarks" / "peers.py"
_MARK = re.compile(r"^<!-- options of (\w+) -->$", re.MULTILINE)


def on_page_markdown(markdown, **kwargs):
    """Called by MkDocs with the text of each page."""
    return _MARK.sub(lambda mark: table(mark[1]), markdown)


def table(name):
    """The table of a peer's options."""
    # By its file: the package would import TensorFlow.
    spec = importlib.util.spec_from_file_location("peers", _DATA)
    peers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peers)
    lines = ["| option | here | |", "|:--|:--|:--|"]
    for option in getattr(peers, name):
        setting = peers.SETTINGS.get(option.setting, peers.Setting())
        parts = (setting.flag and f"`{setting.flag}`", setting.python, option.instead)
        here = ", ".join(filter(None, parts))
        names = ", ".join(f"`{name}`" for name in (option.name, *option.names))
        lines.append(f"| {names} | {here or 'none'} | {_text(option.note)} |")
        for value, stands in (option.values or {}).items():
            code = (
                f"`{stands.python or stands.value}`" if stands.is_something else "none"
            )
            lines.append(f"| · {value} | {code} | {_text(stands.note)} |")
    return "\n".join(lines)


def _text(note):
    return note.replace("|", "\\|")
