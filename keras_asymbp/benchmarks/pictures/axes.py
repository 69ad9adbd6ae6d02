"""Panels and axes that the pictures share."""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

_WIDTH, _HEIGHT = 3.4, 2.9  # inches of a panel
_LEGEND = 2.0  # inches beside the panels
_MOST_COLUMNS = 3
_TICKS = (0.5, 1, 2, 5, 10, 20, 50, 100)
_LEAST = 0.1  # percent: an error of 0 has no logarithm


def grid(count: int, share_x: bool = False) -> tuple[Figure, list[Axes]]:
    """A figure with this many panels, up to three in a line.

    Args:
        count: Number of panels, 1 or more.
        share_x: Whether they have one horizontal axis; they always have one vertical.
    """
    columns = min(count, _MOST_COLUMNS)
    lines = math.ceil(count / columns)
    size = _LEGEND + _WIDTH * columns, 0.4 + _HEIGHT * lines
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(
        lines, columns, sharex=share_x, sharey=True, squeeze=False
    ).flat
    for unused in panels[count:]:
        unused.remove()
    for panel in panels[:count]:
        panel.grid(alpha=0.3)
        panel.tick_params(labelbottom=True, labelleft=True)
    return figure, [*panels[:count]]


def make_logarithmic(panel: Axes, of_x: bool = False) -> None:
    """Makes the vertical axis logarithmic, for errors in percent, with readable ticks.

    Args:
        panel: The panel.
        of_x: Whether the horizontal axis becomes logarithmic as well.
    """
    labels = [f"{tick:g}" for tick in _TICKS]
    panel.set_yscale("log")
    panel.set_yticks(_TICKS, labels)
    panel.set_yticks([], minor=True)
    if of_x:
        panel.set_xscale("log")
        panel.set_xticks(_TICKS, labels)
        panel.set_xticks([], minor=True)


def clipped(error: float) -> float:
    """An error in percent, not below the least that a logarithmic axis shows."""
    return max(error, _LEAST)
