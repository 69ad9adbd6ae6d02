"""The legend of a picture: rules, remedies, layers that learn, and shades."""

from collections.abc import Iterable

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from keras_asymbp.benchmarks.pictures import looks
from keras_asymbp.benchmarks.pictures.looks import (
    FILLS,
    LEARNING,
    LINES,
    REMEDIES,
    Look,
    look,
    shade,
)
from keras_asymbp.benchmarks.tables.experiments import Column


def add(figure: Figure, columns: Iterable[Column]) -> None:
    """Adds a legend of rules, remedies, layers that learn, and shades to a figure.

    Args:
        figure: The figure.
        columns: Its models.
    """
    columns = list(columns)
    clamped = [kind for kind in FILLS if any(c.clamped == kind for c in columns)]
    handles = [
        Line2D([], [], color=look(column).color, linewidth=5, label=rule)
        for rule, column in {column.rule: column for column in columns}.items()
    ]
    handles += [
        Line2D([], [], color="0.3", marker=marker, linestyle="none", label=label)
        for label, marker in {
            REMEDIES[marker]: marker for marker in map(looks.marker, columns)
        }.items()
    ]
    if len(clamped) > 1:
        handles += [
            Line2D(
                [],
                [],
                color="0.3",
                marker="o",
                markerfacecoloralt="white",
                linestyle=LINES[kind],
                fillstyle=FILLS[kind],
                label=LEARNING[FILLS[kind]],
            )
            for kind in clamped
        ]
    handles += [
        Line2D([], [], **Look("0.3", "o", "-", "full", shade).point(), label=label)
        for label, shade in {_shaded(c): shade(c) for c in columns}.items()
        if label
    ]
    figure.legend(handles=handles, loc="outside right upper", frameon=False)


def _shaded(column):
    """The reason for a shade; None for the full colour."""
    if column.flip_probability:
        return f"{100 * column.flip_probability:g} % wrong signs"
    return f"setting {column.setting} of BM" if shade(column) < 1 else None
