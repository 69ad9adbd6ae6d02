"""Lists every error and warning of the package, with its cause and its cure.

The comment `<!-- every message -->` becomes the entries of `docs/messages.yaml`, which
is written by hand: cause, cure, and the test that raises the message. `collect` finds
the messages in the source, and `tests/test_messages.py` compares the two.
"""

import ast
import pathlib

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "docs" / "messages.yaml"
GAP = "…"  # a value that is known only when the message is made

# Caught by the package itself, or by keras-tuner: users never see them.
_INTERNAL = ("FatalError", "FileExistsError", "ModuleNotFoundError")
_MARK = "<!-- every message -->"


def on_page_markdown(markdown, **kwargs):
    """Called by MkDocs with the text of each page."""
    return markdown.replace(_MARK, listing()) if _MARK in markdown else markdown


def collect():
    """The messages in the source: (type, message) to where they are made.

    A place is a file, relative to the repository, with a call's first and last line.
    """
    found = {}
    for file in sorted((ROOT / "keras_asymbp").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        # The words of `unknown` are counted where it is called.
        tree.body = [n for n in tree.body if getattr(n, "name", None) != "unknown"]
        texts = _texts(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            kind = _kind(node)
            text = _text(node, texts).removeprefix("warning: ")
            # A call without words of its own passes on another's text.
            if kind and text.removeprefix("error: ").strip(f"{GAP}:' "):
                name = file.relative_to(ROOT).as_posix()
                place = (name, node.lineno, node.end_lineno)
                found.setdefault((kind, text), []).append(place)
    return found


def entries():
    """The entries of the data file: (section, type, message, entry)."""
    sections = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return [
        (section, entry["type"], entry["message"], entry)
        for section, messages in sections.items()
        for entry in messages
    ]


def listing():
    """The entries as Markdown, a heading for each section."""
    lines = []
    last = None
    for section, kind, message, entry in entries():
        if section != last:
            lines.append(f"## {section}\n")
        last = section
        lines.append(
            f"- {kind}: ``{message}``<br>\n"
            f"  {entry['cause'].strip()} **{entry['cure'].strip()}**\n"
        )
    return "\n".join(lines)


def _kind(call):
    """The exception's name, "warning", or None for a call that makes no message."""
    name = _name(call.func)
    if name == "unknown":
        return "UsageError"
    if name[:1].isupper() and name.endswith("Error") and name not in _INTERNAL:
        return name
    to_stderr = name == "print" and any(k.arg == "file" for k in call.keywords)
    added = name == "append" and _name(call.func.value) == "problems"
    if to_stderr or added or name in ("_problem", "warn", "warning"):
        return "warning"
    return None


def _name(node):
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _texts(tree):
    """The text of each name that is assigned one, or is a function that returns one."""
    texts = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            names, value = [_name(target) for target in node.targets], node.value
        elif isinstance(node, ast.FunctionDef):
            returns = [n.value for n in ast.walk(node) if isinstance(n, ast.Return)]
            names, value = [node.name], returns[0] if len(returns) == 1 else None
        else:
            continue
        for name in names:
            is_text = isinstance(value, ast.JoinedStr) and name not in texts
            texts[name] = value if is_text else None
    return texts


def _text(call, texts):
    """The message of a call, with a gap for each value in it."""
    arguments = ["".join(_parts(argument, texts)) for argument in call.args]
    if _name(call.func) == "unknown":
        return f"unknown {arguments[0]} '{GAP}': choose from {GAP}"
    if _name(call.func) == "_problem":
        del arguments[0]  # the file; the problem follows it
    return arguments[0] if arguments else ""


def _parts(node, texts):
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return [part for value in node.values for part in _parts(value, texts)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _parts(node.left, texts) + _parts(node.right, texts)
    if isinstance(node, ast.FormattedValue):
        return _parts(node.value, texts)
    name = _name(node.func if isinstance(node, ast.Call) else node)
    if name == "one_line" and isinstance(node, ast.Call):  # the terminal's escape
        return _parts(node.args[0], texts)
    if texts.get(name) is not None:
        return _parts(texts[name], {})
    return [GAP]
