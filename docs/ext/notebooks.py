"""Makes pages of the notebooks in docs/examples/, with their stored outputs.

nbconvert turns a notebook into Markdown, so that its page is one like any other; pages
of mkdocs-jupyter have 650 kB each and a script that names a server. Pictures become
files. Links to notebooks lead to these pages; on GitHub they open the notebook.
"""

import pathlib
import re

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "examples"
# No HTML, which could load anything.
_OUTPUTS = ["image/svg+xml", "image/png", "text/plain"]
_LINK = re.compile(r"(\]\([^)]*examples/[\w-]+)\.ipynb\)")


def on_files(files, config):
    """Called by MkDocs with the files of the site: adds pages and pictures."""
    from mkdocs.structure.files import File

    for path in sorted(EXAMPLES.glob("*.ipynb")):
        text, pictures = page(path)
        contents = {f"{path.stem}.md": text, **pictures}
        for name, content in contents.items():
            uri = f"{EXAMPLES.name}/{name}"
            files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown, **kwargs):
    """Called by MkDocs with the text of each page."""
    return _LINK.sub(r"\1.md)", markdown)


def page(path):
    """The page of a notebook.

    Args:
        path: The notebook's file.

    Returns:
        Its text in Markdown, and its pictures: the bytes of each file, by its path from
        the page.
    """
    import nbconvert
    from nbconvert.filters import strip_ansi
    from traitlets.config import Config

    options = Config(NbConvertBase={"display_data_priority": _OUTPUTS})
    exporter = nbconvert.MarkdownExporter(config=options)
    names = {"unique_key": path.stem, "output_files_dir": path.stem}
    text, resources = exporter.from_filename(str(path), resources=names)
    text = strip_ansi(text).replace("![png](", "![Output of this cell](")
    heading, _, rest = text.strip().partition("\n")
    download = f"[Download this notebook]({path.name}){{ download }}"
    return f"{heading}\n\n{download}\n\n{rest}\n", dict(resources["outputs"])
