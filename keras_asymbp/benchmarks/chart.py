"""A table as a picture: our errors with error bars, the paper's beside them."""

import base64
import io
from typing import Any

import matplotlib
import matplotlib.figure

from keras_asymbp.benchmarks.table import Table

# Seen on white and on black.
_OURS, _PAPERS = "#2b8cbe", "#e07b00"
_NEUTRAL = "#808080"
_TICKS = (0.5, 1, 2, 5, 10, 20, 50, 100)
_STYLE: dict[Any, Any] = {
    # Text stays text, and the same table gives the same bytes.
    "svg.fonttype": "none",
    "svg.hashsalt": "keras_asymbp",
    "font.family": "sans-serif",
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color"), _NEUTRAL
    ),
    "ytick.color": _NEUTRAL,
}


def draw(table: Table) -> str:
    """Draws a table as a picture in SVG, a panel for each data set.

    Dots are our errors with the standard deviation between seeds as bars; hollow
    diamonds are the paper's; the line is our baseline.
    """
    with matplotlib.rc_context(_STYLE):
        columns = [column.name for column in table.plan.columns]
        figure = matplotlib.figure.Figure(
            figsize=(7, (0.28 * len(columns) + 1) * len(table.rows)),
            layout="constrained",
        )
        panels = figure.subplots(len(table.rows), squeeze=False)[:, 0]
        for panel, (dataset, entries) in zip(panels, table.rows, strict=True):
            _draw(panel, entries, table)
            panel.set_yticks(range(len(columns)), map(_literal, columns))
            panel.set_title(_literal(f"{dataset.name} (paper: {dataset.paper})"))
            panel.invert_yaxis()
        panels[-1].set_xlabel("error, %")
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return text.getvalue()


def data_url(table: Table) -> str:
    """The picture as a URL that an `<img>` takes, with nothing to fetch."""
    return (
        f"data:image/svg+xml;base64,{base64.b64encode(draw(table).encode()).decode()}"
    )


def _draw(panel, entries, table):
    ours = [(y, e) for y, e in enumerate(entries) if e.error is not None]
    papers = [(y, e.paper) for y, e in enumerate(entries) if e.paper is not None]
    first = panel.get_subplotspec().is_first_row()
    panel.errorbar(
        [entry.error for _, entry in ours],
        [y for y, _ in ours],
        xerr=[entry.spread or 0.0 for _, entry in ours],
        fmt="o",
        capsize=3,
        color=_OURS,
        label="ours" if first else None,
    )
    panel.plot(
        [error for _, error in papers],
        [y for y, _ in papers],
        "D",
        fillstyle="none",
        color=_PAPERS,
        label="the paper" if first else None,
    )
    names = [column.name for column in table.plan.columns]
    for y, entry in ours:
        if names[y] == table.plan.experiment.baseline:
            panel.axvline(
                entry.error,
                linewidth=0.8,
                linestyle="--",
                color=_NEUTRAL,
                label="our baseline" if first else None,
            )
    # Errors from half a percent to 90: logarithmic, with an error of 0 at the edge.
    panel.set_xscale("log", nonpositive="clip")
    panel.set_xlim(0.3, 105)
    panel.set_xticks(_TICKS, list(map(str, _TICKS)))
    panel.minorticks_off()
    panel.grid(axis="x", linewidth=0.3, color=_NEUTRAL)


def _literal(text):
    """Without a meaning for matplotlib, to which $ begins mathematics."""
    return text.replace("$", r"\$")
