"""Error against the share of wrong signs, beside the paper's curve."""

import statistics
from collections.abc import Sequence

from matplotlib.figure import Figure

from keras_asymbp.benchmarks.pictures import axes
from keras_asymbp.benchmarks.pictures.looks import look
from keras_asymbp.benchmarks.results.table import Row


def draw(rows: Sequence[Row]) -> Figure | None:
    """Draws a panel for each experiment that varies the share of wrong signs.

    A point is a seed, the line their mean; the paper's figures are grey. Horizontal
    lines are the baseline without asymmetric feedback, ours and the paper's. Errors are
    on a logarithmic axis.

    Args:
        rows: The filled tables of one setup.

    Returns:
        The figure; None if there is nothing to draw.
    """
    shown = [
        row
        for row in rows
        if row.plan.experiment.signs
        and any(entry.errors for p, entry in _points(row) if p is not None)
    ]
    if not shown:
        return None
    figure, panels = axes.grid(len(shown))
    for panel, row in zip(panels, shown, strict=True):
        experiment = row.plan.experiment
        panel.set_title(
            f"{experiment.name}: signs drawn {_DRAWN[str(experiment.signs)]}"
        )
        panel.set_xlabel("wrong signs, %")
        panel.set_ylabel("error, %")
        panel.set_xlim(105, -5)
        axes.make_logarithmic(panel)
        _plot(panel, row)
    panels[0].legend(fontsize="small")
    return figure


_DRAWN = {"batchwise": "for each batch", "fixed": "once"}


def _plot(panel, row):
    points = [(100 * p, entry) for p, entry in _points(row) if p is not None]
    paper = [(p, entry.paper) for p, entry in points if entry.paper is not None]
    ours = [(p, entry.errors.values()) for p, entry in points if entry.errors]
    color = look(row.plan.columns[-1]).color
    if paper:
        panel.plot(*zip(*paper, strict=True), "o--", color="0.6", label="the paper")
    for p, errors in ours:
        panel.plot([p] * len(errors), [*map(axes.clipped, errors)], ".", color=color)
    means = [(p, axes.clipped(statistics.fmean(errors))) for p, errors in ours]
    if means:
        panel.plot(*zip(*means, strict=True), "D-", color=color, label="ours")
    for p, baseline in _points(row):
        if p is None:
            for error, line_color in ((baseline.paper, "0.6"), (baseline.error, color)):
                if error is not None:
                    at = axes.clipped(error)
                    panel.axhline(at, color=line_color, linestyle=":", linewidth=1)


def _points(row):
    """The share of wrong signs of each model, None for the baseline, and its entry."""
    return [
        (column.flip_probability, entry)
        for column, entry in zip(row.plan.columns, row.entries, strict=True)
    ]
