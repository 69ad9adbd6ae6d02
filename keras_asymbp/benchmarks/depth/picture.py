"""The picture of the depth study: errors and alignment against depth."""

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_asymbp.benchmarks.depth.study import (
    Run,
    lowest_gradient_angle,
    mean,
    over_seeds,
)
from keras_asymbp.benchmarks.pictures.looks import COLORS
from keras_asymbp.benchmarks.tables.experiments import DEPTH_RULES

# Colour and marker of each rule.
STYLES = {
    rule: (COLORS[rule], marker)
    for rule, marker in zip(DEPTH_RULES, "os^DvXP*d", strict=True)
}
_ERRORS = (2, 5, 10, 20, 50, 90)  # in percent, on an axis of ratios
_RIGHT = 90  # degrees: the gradient has no component along backpropagation's


def draw(runs: Sequence[Run]) -> Figure:
    """Draws errors and alignment against depth, and alignment by layer.

    Each column of panels shows a family of networks, first without help, then with
    each help. Each rule is a line with its own colour and marker. The rows are

    - the error;
    - the angle between the gradient of the lowest layer and backpropagation's;
    - the same angle in every layer of the deepest network.

    Args:
        runs: One or more runs, from `study.runs`.
    """
    helps = dict.fromkeys(run.helped for run in runs)
    columns = [
        (helped, family, [r for r in runs if (r.helped, r.family) == (helped, family)])
        for helped in helps
        for family in dict.fromkeys(r.family for r in runs if r.helped == helped)
    ]
    size = 1.4 + 2.9 * len(columns), 8.4
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(3, len(columns), sharey="row", squeeze=False)
    deepest = max(run.depth for run in runs)
    for (helped, family, shown), panels in zip(columns, grid.T, strict=True):
        error, lowest, layers = panels
        error.set_title(f"{family}, {helped or 'alone'}", parse_math=False)
        _plot(error, shown, _error_by_depth)
        _plot(lowest, shown, _lowest_by_depth)
        _plot(layers, [r for r in shown if r.depth == deepest], _angle_by_layer)
        for panel in (error, lowest):
            panel.set_xlabel("layers")
            panel.set_xticks(sorted({run.depth for run in runs}))
        layers.set_xlabel(f"layer of {deepest}, the lowest is 1")
        for panel in (lowest, layers):
            panel.axhline(_RIGHT, color="0.6", linewidth=0.8, zorder=0)
    error, lowest, layers = grid[:, 0]
    error.set_yscale("log")
    error.set_yticks(_ERRORS, map(str, _ERRORS))
    error.minorticks_off()
    error.set_ylabel("error, %")
    lowest.set_ylabel("gradient to BP's,\nlowest layer, degrees")
    layers.set_ylabel("gradient to BP's,\nby layer, degrees")
    named = {
        label: line
        for panel in grid.flat
        for line, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        [named[rule] for rule in STYLES if rule in named],
        [rule for rule in STYLES if rule in named],
        loc="outside right upper",
        title="rule",
    )
    return figure


def _plot(panel: Axes, runs: Iterable[Run], values) -> None:
    """Draws a line for each rule; `values` maps its runs to y by x."""
    by_rule: dict[str, list[Run]] = {}
    for run in runs:
        by_rule.setdefault(run.column.rule, []).append(run)
    for rule, rule_runs in by_rule.items():
        color, marker = STYLES[rule]
        points = values(rule_runs)
        panel.plot(
            list(points),
            list(points.values()),
            color=color,
            marker=marker,
            markersize=5,
            linewidth=1.2,
            label=rule,
        )
    panel.grid(alpha=0.3)


def _error_by_depth(runs):
    return over_seeds(runs, lambda run: run.error)


def _lowest_by_depth(runs):
    return over_seeds(runs, lowest_gradient_angle)


def _angle_by_layer(runs):
    """The mean angle over seeds by layer, from 1, for runs on one network."""
    layers = zip(*(run.layers for run in runs if run.layers), strict=True)
    means = (mean(layer.gradient_angle for layer in seeds) for seeds in layers)
    return {layer: angle for layer, angle in enumerate(means, 1) if angle is not None}
