"""The look of a model, the same in every picture."""

import dataclasses
from collections.abc import Iterable
from typing import Any, Literal

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from keras_asymbp.benchmarks.tables.experiments import Column

# The colour of each rule: Okabe and Ito's, distinguishable by colour-blind people.
COLORS = {
    "BP": "#000000",
    "uSF": "#0072B2",
    "NuSF": "#56B4E9",
    "brSF": "#E69F00",
    "frSF": "#009E73",
    "RndF": "#D55E00",
    "KP": "#CC79A7",
    "WM": "#8F7A00",
    "DFA": "#7F7F7F",
}
OTHER_RULES = "#A0A0A0"
# By whether there are batch normalization and Batch Manhattan.
MARKERS = {
    (False, False): "o",
    (True, False): "s",
    (False, True): "^",
    (True, True): "D",
}
# By the layers that learn: the line, and the half of a marker that is filled.
LINES: dict[str | None, Literal["-", "--", ":"]] = {
    None: "-",
    "Bottom": "--",
    "Top": ":",
}
FILLS: dict[str | None, Literal["full", "bottom", "top"]] = {
    None: "full",
    "Bottom": "bottom",
    "Top": "top",
}


@dataclasses.dataclass(frozen=True)
class Look:
    """Colour, marker and line of a model.

    Attributes:
        color: The rule's.
        marker: That of the remedies, BN and BM.
        line: The style that tells *Bottom* and *Top*.
        fill: The half of the marker that is filled, which tells them, too.
    """

    color: str
    marker: str
    line: str
    fill: str

    def point(self) -> dict[str, Any]:
        """Matplotlib's arguments for a point."""
        return {
            "color": self.color,
            "marker": self.marker,
            "fillstyle": self.fill,
            "markersize": 6,
            "markerfacecoloralt": "white",
            "linestyle": "none",
        }


def look(column: Column) -> Look:
    """The look of a model.

    >>> look(Column("RndF+BN Top", "RndF", normalization="BN", clamped="Top"))
    Look(color='#D55E00', marker='s', line=':', fill='top')
    """
    return Look(
        COLORS.get(column.rule, OTHER_RULES),
        MARKERS[_remedies(column)],
        LINES[column.clamped],
        FILLS[column.clamped],
    )


def add_legend(figure: Figure, columns: Iterable[Column]) -> None:
    """Adds a legend of rules, remedies, and layers that learn to a figure.

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
            _REMEDIES[has]: MARKERS[has] for has in map(_remedies, columns)
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
                label=_LEARNING[kind],
            )
            for kind in clamped
        ]
    figure.legend(handles=handles, loc="outside right upper", frameon=False)


_REMEDIES = {
    (False, False): "no remedy",
    (True, False): "BN",
    (False, True): "BM",
    (True, True): "BN and BM",
}
_LEARNING = {
    None: "all layers learn",
    "Bottom": "Bottom: all but the last",
    "Top": "Top: only the last",
}


def _remedies(column):
    return column.normalization is not None, column.setting > 0
