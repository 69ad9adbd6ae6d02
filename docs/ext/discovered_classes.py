"""Lists the classes and modules of packages on the reference pages, by their files.

`<!-- every class in keras_asymbp.feedbacks -->` becomes an entry for each public class
in a file of that package, as the package finds them at import: a new rule or layer is
documented by its file alone. `<!-- every module in keras_asymbp.benchmarks.run -->`
becomes an entry for each public module.
"""

import ast
import pathlib
import re

_ROOT = pathlib.Path(__file__).parents[2]
_MARK = re.compile(r"^<!-- every (class|module) in (\S+) -->$", re.MULTILINE)


def on_page_markdown(markdown, **kwargs):
    """Called by MkDocs with the text of each page."""
    return _MARK.sub(_entries, markdown)


def class_names(package):
    """The full names of the public classes in a package's files, except base.py."""
    names = []
    for file in _files(package):
        if file.stem in ("__init__", "base"):
            continue
        names += [
            f"{package}.{file.stem}.{node.name}"
            for node in ast.parse(file.read_text(encoding="utf-8")).body
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        ]
    return names


def module_names(package):
    """The full names of the public modules in a package's folder."""
    stems = [file.stem for file in _files(package)]
    return [f"{package}.{stem}" for stem in stems if not stem.startswith("_")]


def _files(package):
    return sorted((_ROOT / package.replace(".", "/")).glob("*.py"))


def _entries(mark):
    kind, package = mark.groups()
    if kind == "class":
        return "\n\n".join(f"::: {name}" for name in class_names(package))
    return "\n\n".join(_module_entry(name) for name in module_names(package))


def _module_entry(name):
    label = name.rpartition(".")[2]
    return f"::: {name}\n    options: {{show_root_full_path: true, toc_label: {label}}}"
