"""Lists the equivalents of a peer's options, from the package's data.

The comment `<!-- options of BIOTORCH -->` becomes the table of `BIOTORCH`: a row for
each option, and for each value with another name here.
"""

import importlib.util
import pathlib
import re

_PACKAGE = pathlib.Path(__file__).parents[2] / "keras_asymbp"
_MARK = re.compile(r"^<!-- options of (\w+) -->$", re.MULTILINE)


def on_page_markdown(markdown, **kwargs):
    """Called by MkDocs with the text of each page."""
    return _MARK.sub(lambda mark: table(mark[1]), markdown)


def table(name):
    """The table of a peer's options."""
    # Loaded by path: importing the package would import TensorFlow.
    path = _PACKAGE / "benchmarks" / "peers" / "options.py"
    spec = importlib.util.spec_from_file_location("peer_options", path)
    peer_options = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer_options)
    lines = ["| option | here |", "|:--|:--|"]
    for option in getattr(peer_options, name):
        setting = peer_options.SETTINGS.get(option.setting, peer_options.Setting())
        parts = (setting.flag and f"`{setting.flag}`", setting.python, option.instead)
        here = ", ".join(filter(None, parts))
        names = ", ".join(f"`{name}`" for name in (option.name, *option.names))
        lines.append(_row(names, here, "" if option.values else option.note))
        for value, equivalent in (option.values or {}).items():
            flags = (f"--{name} {value}" for name, value in equivalent.also)
            codes = filter(None, (equivalent.value, *flags, equivalent.python))
            here = ", ".join(f"`{code}`" for code in codes)
            lines.append(_row(f"· {value}", here, equivalent.note))
        if option.values:
            lines.append(_row("· other values", "", option.note))
    return "\n".join(lines)


def _row(option, here, note):
    text = ": ".join(filter(None, (here or "none", note)))
    return f"| {option} | {text.replace('|', '&#124;')} |"
