"""Learning curves: the test error after each epoch, of several models together."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from keras_asymbp.benchmarks.pictures import axes, legend
from keras_asymbp.benchmarks.pictures.looks import look
from keras_asymbp.benchmarks.results.table import Row


def draw(rows: Sequence[Row]) -> Figure | None:
    """Draws a panel for each experiment, with a line for each model and seed.

    A line is the best trial of a model with a seed; the first seed's is the strongest,
    and ends in the model's marker.

    Args:
        rows: The filled tables of one setup.

    Returns:
        The figure; None without a finished trial.
    """
    shown = [row for row in rows if any(entry.errors for entry in row.entries)]
    if not shown:
        return None
    figure, panels = axes.grid(len(shown))
    drawn = []
    for panel, row in zip(panels, shown, strict=True):
        panel.set_title(row.plan.experiment.name)
        panel.set_xlabel("epoch")
        panel.set_ylabel("test error, %")
        axes.make_logarithmic(panel)
        for column, entry in zip(row.plan.columns, row.entries, strict=True):
            for number, seed in enumerate(entry.errors):
                _plot(panel, column, _best(entry, seed), first=number == 0)
                drawn.append(column)
    legend.add(figure, drawn)
    return figure


def _best(entry, seed):
    return next(t for t in entry.trials if t["settings"]["seed"] == seed)


def _plot(panel, column, trial, first):
    curve = trial["result"]["curves"]
    if not curve:
        return
    kind = look(column)
    alpha = 1 if first else 0.4
    panel.plot(
        [row["epoch"] for row in curve],
        [axes.clipped(100 * row["test_error"]) for row in curve],
        **{"color": (kind.color, alpha), "linestyle": kind.line, "markersize": 4},
        **kind.marks(alpha),
        markevery=[-1],
        linewidth=1.2 if first else 0.6,
    )
