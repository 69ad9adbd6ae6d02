"""A forest plot of the claims: the effect in each inequality with its interval."""

import math
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from keras_asymbp.benchmarks.results.verdicts import (
    FAILS,
    HOLDS,
    UNDECIDED,
    Finding,
    Tested,
)

COLORS = {HOLDS: "#009E73", FAILS: "#D55E00", UNDECIDED: "0.45"}
_LINE = 0.2  # inches
_MOST = 20.0  # margins; greater effects are drawn here
_END = 25.0  # margins at the ends of the axis


def draw(findings: Sequence[Finding]) -> Figure | None:
    """Draws a line for each inequality of each claim.

    The dot is the effect in margins, the line its 95 % interval, shaded the region
    where the inequality holds. The axis is linear from -1 to 1 and logarithmic beyond,
    to 20 margins.

    Args:
        findings: The findings on a setup.

    Returns:
        The figure; None without a tested inequality.
    """
    lines = [(f, t) for f in findings for t in f.tested]
    if not lines:
        return None
    size = 9.5, 1.2 + _LINE * len(lines)
    figure = Figure(figsize=size, layout="constrained")
    panel = figure.subplots()
    for number, (_, tested) in enumerate(lines):
        _plot(panel, number, tested)
    starts = [n for n, (f, _) in enumerate(lines) if not n or lines[n - 1][0] is not f]
    for start in starts[1:]:
        panel.axhline(start - 0.5, color="0.85", linewidth=0.8)
    panel.set_yticks(
        range(len(lines)), [tested.check.label for _, tested in lines], fontsize=7
    )
    names = panel.secondary_yaxis("right")
    names.set_yticks(starts, [lines[start][0].claim.name for start in starts])
    names.tick_params(labelsize=7, length=0)
    panel.set_ylim(len(lines) - 0.5, -0.5)
    panel.set_xscale("symlog", linthresh=1)
    panel.set_xlim(-_END, _END)
    ticks = [-10, -5, -2, -1, 0, 1, 2, 5, 10]
    panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.set_xticks([], minor=True)
    panel.axvline(0, color="0.7", linewidth=0.8, zorder=0)
    panel.set_xlabel("effect, margins")
    figure.legend(
        handles=_handles(), loc="outside lower center", ncols=4, frameon=False
    )
    return figure


def _plot(panel, number, tested: Tested):
    check = tested.check
    panel.fill_betweenx(
        [number - 0.5, number + 0.5],
        max(check.above, -_END),
        min(check.below, _END),
        color=COLORS[HOLDS],
        alpha=0.12,
        linewidth=0,
    )
    color = COLORS[tested.verdict]
    ends = [_within(end) for end in (tested.low, tested.high)]
    panel.plot(ends, [number] * 2, color=color, linewidth=1.2)
    panel.plot(_within(tested.effect), number, "o", color=color, markersize=4)


def _within(effect):
    return math.copysign(min(abs(effect), _MOST), effect)


def _handles():
    decided = [
        Line2D([], [], color=color, marker="o", markersize=4, label=verdict)
        for verdict, color in COLORS.items()
    ]
    return [*decided, Patch(color=COLORS[HOLDS], alpha=0.12, label="where it holds")]
