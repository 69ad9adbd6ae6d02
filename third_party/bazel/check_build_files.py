"""Fails when a BUILD file does not mention a Python file, so that none is forgotten."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ["benchmarks", "keras_asymbp", "tests"]


def main() -> int:
    """Prints the files that no BUILD file mentions; returns the exit code."""
    code = 0
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            build = next(p / "BUILD" for p in file.parents if (p / "BUILD").is_file())
            if file not in sources(build):
                file, build = file.relative_to(ROOT), build.relative_to(ROOT)
                print(f"{file} is not in {build}", file=sys.stderr)
                code = 1
    return code


def sources(build: Path) -> set[Path]:
    """The files in `srcs` of a BUILD file's targets, and those that a `glob` finds."""
    files: set[Path] = set()
    for call in ast.walk(ast.parse(build.read_text())):  # Starlark has Python's syntax
        if isinstance(call, ast.Call):
            arguments = {keyword.arg: keyword.value for keyword in call.keywords}
            if "srcs" in arguments:
                files |= {build.parent / name for name in strings(arguments["srcs"])}
            if isinstance(call.func, ast.Name) and call.func.id == "glob":
                excluded = matches(build.parent, arguments.get("exclude"))
                files |= matches(build.parent, call.args[0]) - excluded
    return files


def matches(folder: Path, patterns: ast.AST | None) -> set[Path]:
    """The files of a folder that match a pattern written in a node."""
    return {file for pattern in strings(patterns) for file in folder.glob(pattern)}


def strings(node: ast.AST | None) -> list[str]:
    """The strings written in a node, without those in calls inside it."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if node is None or isinstance(node, ast.Call):
        return []
    return [string for child in ast.iter_child_nodes(node) for string in strings(child)]


if __name__ == "__main__":
    sys.exit(main())
