"""Our errors against the paper's, both on logarithmic axes."""

import statistics
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from keras_asymbp.benchmarks.pictures import axes, legend
from keras_asymbp.benchmarks.pictures.looks import look
from keras_asymbp.benchmarks.results.agreement import Agreement
from keras_asymbp.benchmarks.results.table import Row


def draw(rows: Sequence[Row], agreements: Sequence[Agreement]) -> Figure | None:
    """Draws a panel for each printed table, with a point for each model.

    A point is the mean over seeds, its vertical line reaches from the least to the
    greatest of them. On the diagonal our error is the paper's.

    Args:
        rows: The filled tables of one setup.
        agreements: The rank correlation in each table.

    Returns:
        The figure; None if no model has both errors.
    """
    shown = [(row, points) for row in rows if (points := _points(row))]
    if not shown:
        return None
    by_place = {found.place: found for found in agreements}
    figure, panels = axes.grid(len(shown), share_x=True)
    for panel, (row, points) in zip(panels, shown, strict=True):
        place = row.plan.experiment.place
        panel.set_title(f"{place}{_correlation(by_place, place)}")
        axes.make_logarithmic(panel, of_x=True)
        panel.axline((1, 1), (10, 10), color="0.7", linewidth=0.8, zorder=0)
        for column, (paper, ours) in points.items():
            panel.plot(
                [paper, paper],
                [axes.clipped(min(ours)), axes.clipped(max(ours))],
                color=look(column).color,
                linewidth=1,
            )
            panel.plot(
                paper, axes.clipped(statistics.fmean(ours)), **look(column).point()
            )
    figure.supxlabel("the paper's error, %")
    figure.supylabel("our error, %")
    legend.add(figure, [column for _, points in shown for column in points])
    return figure


def _points(row: Row) -> Mapping:
    """The paper's error and ours by seed, for each model that has both."""
    return {
        column: (axes.clipped(entry.paper), [*entry.errors.values()])
        for column, entry in zip(row.plan.columns, row.entries, strict=True)
        if entry.paper is not None and entry.error is not None
    }


def _correlation(by_place, place):
    found = by_place.get(place)
    if found is None or found.correlation is None:
        return ""
    text = f"\nrank correlation {found.correlation:.2f}"
    return (
        text if found.low is None else f"{text} ({found.low:.2f} to {found.high:.2f})"
    )
