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
    lines = ["| option | here |", "|:--|:--|"]
    for option in getattr(peers, name):
        setting = peers.SETTINGS.get(option.setting, peers.Setting())
        parts = (setting.flag and f"`{setting.flag}`", setting.python, option.instead)
        here = ", ".join(filter(None, parts))
        names = ", ".join(f"`{name}`" for name in (option.name, *option.names))
        lines.append(_row(names, here, "" if option.values else option.note))
        for value, stands in (option.values or {}).items():
            codes = filter(None, (stands.value, stands.python))
            here = ", ".join(f"`{code}`" for code in codes)
            lines.append(_row(f"· {value}", here, stands.note))
        if option.values:
            lines.append(_row("· another", "", option.note))
    return "\n".join(lines)


def _row(option, here, note):
    text = ": ".join(filter(None, (here or "none", note)))
    return f"| {option} | {text.replace('|', '&#124;')} |"
