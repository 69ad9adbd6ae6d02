"""Lists the classes that a package finds at import, as it does: by their files.

A comment `<!-- every class in keras_asymbp.feedbacks -->` on a page becomes an entry of
the API for each public class in a file of that package, so that a new rule or layer is
documented by its file alone.
"""

import ast
import pathlib
import re

_ROOT = pathlib.Path(__file__).parents[2]
_MARK = re.compile(r"^<!-- every class in (\S+) -->$", re.MULTILINE)


def on_page_markdown(markdown, **kwargs):
    """Called by MkDocs with the text of each page."""
    return _MARK.sub(
        lambda mark: "\n\n".join(f"::: {name}" for name in class_names(mark[1])),
        markdown,
    )


def class_names(package):
    """The full names of the public classes in a package's files, but for base.py."""
    names = []
    for file in sorted((_ROOT / package.replace(".", "/")).glob("*.py")):
        if file.stem in ("__init__", "base"):
            continue
        names += [
            f"{package}.{file.stem}.{node.name}"
            for node in ast.parse(file.read_text(encoding="utf-8")).body
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        ]
    return names
