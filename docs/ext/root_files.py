"""Puts files that lie above docs/ on the site: how to contribute, what has changed."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ("CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE")


def on_files(files, config):
    """Called by MkDocs with the files of the site."""
    from mkdocs.structure.files import File

    for name in NAMES:
        text = (ROOT / name).read_text(encoding="utf-8")
        content = text.replace("](docs/", "](")
        files.append(File.generated(config, name, content=content))
    return files
