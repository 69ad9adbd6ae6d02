"""Draws the README's picture: four errors of experiment C2, with the last layer frozen.

Run as `python docs/ext/readme_picture.py`. It reads the trials of the largest recorded
C2 and writes `docs/pictures/bottom-light.svg` and `bottom-dark.svg`.
"""

import dataclasses
import io
import pathlib

import matplotlib
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from keras_asymbp.benchmarks.pictures import looks
from keras_asymbp.benchmarks.results import inventory, store, table

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PICTURES = ROOT / "docs" / "pictures"
# What sends the error back, in plain words.
MODELS = {
    "SGD Bottom": "the weights themselves",
    "uSF+BN+BM Bottom": "the signs of the weights",
    "RndF+BN+BM Bottom": "random weights",
    "RndF Bottom": "random weights",
}
_TITLE = "Error of a network whose last layer never learns"
_SIZE = 5.4, 3.1  # inches
_HEIGHT = 0.66  # of a bar


@dataclasses.dataclass(frozen=True)
class Theme:
    """Colours of the page under the picture."""

    ink: str
    muted: str
    on_bar: str
    colors: dict[str, str]


THEMES = {
    "light": Theme(
        *("#1f2328", "#59636e", "#ffffff"), looks.COLORS | {"BP": "#59636e"}
    ),
    "dark": Theme(
        *("#f0f6fc", "#9198a1", "#0d1117"),
        {"BP": "#9198a1", "uSF": "#58a6ff", "RndF": "#f0883e"},
    ),
}


@dataclasses.dataclass(frozen=True)
class Recorded:
    """Experiment C2 in a recorded folder.

    Attributes:
        folder: The folder's name.
        row: The table's row.
    """

    folder: str
    row: table.Row

    @property
    def examples(self):
        """The number of training examples."""
        return self.row.plan.setup.train_examples

    @property
    def seen(self):
        """The number of examples that a training sees, over all epochs."""
        return self.row.plan.setup.protocol.epochs * self.examples

    @property
    def seeds(self):
        """The number of seeds."""
        return len(self.row.plan.setup.seeds)

    @property
    def scale(self):
        """The data and the training, in words."""
        setup = self.row.plan.setup
        images = f"{self.examples:,} images of {setup.dataset.paper}"
        seeds = "one seed" if self.seeds == 1 else f"{self.seeds} seeds"
        return f"{images}, {setup.protocol.epochs} epochs, {seeds}"

    def entry(self, model):
        """The errors of a model, ours and the paper's."""
        names = [column.name for column in self.row.plan.columns]
        return self.row.entries[names.index(model)]

    def error(self, model):
        """Our error in percent as a text, the mean over seeds."""
        return f"{self.entry(model).error:.2f}%"

    @property
    def chance(self):
        """The error of guessing, in percent."""
        return self.row.plan.setup.guessing


def largest(results=RESULTS):
    """The recorded C2 with the most examples seen, and of those with the most seeds."""
    found = [each for folder in sorted(results.iterdir()) for each in recorded(folder)]
    return max(found, key=lambda each: (each.seen, each.seeds))


def recorded(folder):
    """Experiment C2 of each setup of a recorded folder whose four models are there."""
    report = folder / "report.md"  # which tells sooner than reading all trials
    if not (report.is_file() and "\n## C2: " in report.read_text(encoding="utf-8")):
        return
    held = inventory.take(store.Store(folder, make=False))
    for plan in held.plans():
        names = {column.name for column in plan.columns}
        if plan.experiment.name == "C2" and names >= MODELS.keys():
            each = Recorded(folder.name, table.fill(plan, held.store))
            if all(each.entry(model).error is not None for model in MODELS):
                yield each


def draw(each, theme):
    """A bar for each model with our error, the paper's beside it, and a line at chance.

    Args:
        each: The recorded experiment.
        theme: The colours.
    """
    figure = Figure(figsize=_SIZE)
    panel = figure.add_axes((0.395, 0.02, 0.46, 0.79))
    across = blended_transform_factory(figure.transFigure, panel.transData)
    ink = {"color": theme.ink, "transform": across}
    muted = {"color": theme.muted, "fontsize": 9}
    figure.text(0.01, 0.92, _TITLE, color=theme.ink, weight="bold", fontsize=11)
    figure.text(0.01, 0.845, each.scale, **muted)
    muted["va"] = "center"
    last = len(MODELS) - 1
    panel.text(0.01, -0.8, "error sent back through", transform=across, **muted)
    panel.text(0.99, -0.8, "the paper's", transform=across, ha="right", **muted)
    for number, (model, words) in enumerate(MODELS.items()):
        entry, name = each.entry(model), model.removesuffix(" Bottom")
        rule = next(c.rule for c in each.row.plan.columns if c.name == model)
        panel.barh(number, entry.error, color=theme.colors[rule], height=_HEIGHT)
        panel.text(0.01, number - 0.19, words, va="center", **ink)
        panel.text(0.01, number + 0.21, name, transform=across, **muted)
        _write(panel, number, each, model, theme)
        paper = f"{entry.paper:.2f}%"
        panel.text(0.99, number, paper, transform=across, ha="right", **muted)
    line = {"color": theme.muted, "linestyle": ":", "linewidth": 1.2}
    panel.plot([each.chance] * 2, [-0.5, last + 0.45], **line)
    panel.text(each.chance, last + 0.65, "guessing", ha="center", **muted)
    panel.set(xlim=(0, 100), ylim=(last + 0.9, -1), xticks=[], yticks=[])
    panel.spines[:].set_visible(False)
    panel.patch.set_visible(False)
    return figure


def _write(panel, number, each, model, theme):
    """Writes our error at the end of its bar, inside if the bar is long."""
    inside = each.entry(model).error > each.chance / 2
    panel.annotate(
        each.error(model),
        (each.entry(model).error, number),
        xytext=(-6 if inside else 6, 0),
        textcoords="offset points",
        ha="right" if inside else "left",
        va="center",
        color=theme.on_bar if inside else theme.ink,
        weight="bold",
    )


def svg(figure, name):
    """A figure as SVG, the same text for equal figures."""
    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        metadata = {"Date": None, "Creator": None}
        figure.savefig(file, format="svg", metadata=metadata, transparent=True)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def pictures(each):
    """The text of each picture of a recorded experiment by its path."""
    return {
        PICTURES / f"bottom-{name}.svg": svg(draw(each, theme), name)
        for name, theme in THEMES.items()
    }


if __name__ == "__main__":
    for path, text in pictures(largest()).items():
        path.write_text(text, encoding="utf-8")
