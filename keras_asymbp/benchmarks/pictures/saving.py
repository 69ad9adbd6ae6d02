"""Saves pictures: equal figures make equal files."""

import pathlib

import matplotlib
from matplotlib.figure import Figure

_DOTS_PER_INCH = 150
SUFFIXES = (".png", ".svg")


def save(figure: Figure, folder: pathlib.Path, name: str) -> None:
    """Saves a figure as `NAME.png` and `NAME.svg`.

    Args:
        figure: The figure.
        folder: The folder, which is made if it is missing.
        name: The files' name without a suffix.

    Raises:
        OSError: If a file can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.png", dpi=_DOTS_PER_INCH)
    # Without them an SVG has random identifiers and the time.
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
