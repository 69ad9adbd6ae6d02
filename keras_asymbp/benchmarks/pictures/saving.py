"""Saves pictures: equal figures make equal files."""

import io
import pathlib

import matplotlib
from matplotlib.figure import Figure

from keras_asymbp.benchmarks.results.atomic import write_atomically

_DOTS_PER_INCH = 150
SUFFIXES = (".png", ".svg")


def save(figure: Figure, folder: pathlib.Path, name: str) -> None:
    """Saves a figure as `NAME.png` and `NAME.svg`, each whole or not at all.

    Args:
        figure: The figure.
        folder: The folder, which is made if it is missing.
        name: The files' name without a suffix.

    Raises:
        OSError: If a file can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    png, svg = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png", dpi=_DOTS_PER_INCH)
    # Without them an SVG has random identifiers and the time.
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(svg, format="svg", metadata={"Date": None})
    for suffix, file in zip(SUFFIXES, (png, svg), strict=True):
        write_atomically(folder / f"{name}{suffix}", file.getvalue())
