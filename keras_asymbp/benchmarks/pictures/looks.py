"""The look of a model, the same in every picture and in `report.html`.

Matplotlib is not needed here: it is in an extra, and the report does without.
"""

import colorsys
import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Literal

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
# The same hues on a dark ground.
_ON_DARK = {
    "#000000": "#F2F2F5",
    "#0072B2": "#3D9BE9",
    "#56B4E9": "#A9DDFF",
    "#E69F00": "#F3B53A",
    "#009E73": "#2CC99B",
    "#D55E00": "#FF8447",
    "#CC79A7": "#EBA0CB",
    "#8F7A00": "#CDB738",
    "#7F7F7F": "#A9A9AF",
    "#A0A0A0": "#7C7F88",
}
# By whether there are batch normalization and Batch Manhattan.
MARKERS = {
    (False, False): "o",
    (True, False): "s",
    (False, True): "^",
    (True, True): "D",
}
# Of optimizers beside Batch Manhattan.
OPTIMIZERS = {"Signum": "v", "Lion": ">", "Adam": "p", "Muon": "h"}
# By the layers that learn: the line, and the half of a marker that is filled.
LINES: dict[str | None, Literal["-", "--", ":"]] = {
    None: "-",
    "Bottom": "--",
    "Top": ":",
}
Fill = Literal["full", "bottom", "top"]
FILLS: dict[str | None, Fill] = {
    None: "full",
    "Bottom": "bottom",
    "Top": "top",
}
# The words of a legend, by marker and by the half that is filled.
REMEDIES = {"o": "no remedy", "s": "BN", "^": "BM", "D": "BN and BM"} | {
    marker: name for name, marker in OPTIMIZERS.items()
}
LEARNING = {
    "full": "all layers learn",
    "bottom": "Bottom: all but the last",
    "top": "Top: only the last",
}
# Of models that differ in nothing above.
_SHADES = (1.0, 0.75, 0.5, 0.25, 0.0)
_OTHER_MARKERS = ("<",)


@dataclasses.dataclass(frozen=True)
class Look:
    """Colour, marker and line of a model.

    Attributes:
        color: The rule's.
        marker: That of the remedies, BN and BM, or of another optimizer.
        line: The style that tells *Bottom* and *Top*.
        fill: The half of the marker that is filled, which tells them, too.
        shade: How strong the colour of the fill is, in [0, 1]: the share of right
            signs, or which setting of Batch Manhattan.
    """

    color: str
    marker: str
    line: str
    fill: Fill
    shade: float = 1.0

    @property
    def on_dark(self) -> str:
        """The colour on a dark ground."""
        return _ON_DARK.get(self.color, self.color)

    @property
    def mark(self) -> tuple[str, str, str, float]:
        """Everything that is seen of a point."""
        fill = self.fill if self.shade else "none"
        return self.color, self.marker, fill, self.shade

    def marks(self, alpha: float = 1.0) -> dict[str, Any]:
        """Matplotlib's arguments for the markers of a line.

        Args:
            alpha: That of the line, in [0, 1]. As an argument of its own it would
                replace the shade.
        """
        return {
            "marker": self.marker,
            "fillstyle": self.fill,
            "markerfacecolor": (self.color, alpha * self.shade),
            # Without it the edge takes the shade of the face, too.
            "markeredgecolor": (self.color, alpha),
            "markerfacecoloralt": "white",
        }

    def point(self) -> dict[str, Any]:
        """Matplotlib's arguments for a point."""
        return {
            "color": self.color,
            "markersize": 6,
            "linestyle": "none",
            **self.marks(),
        }


def look(column: Column) -> Look:
    """The look of a model.

    >>> look(Column("RndF+BN Top", "RndF", normalization="BN", clamped="Top"))
    Look(color='#D55E00', marker='s', line=':', fill='top', shade=1.0)
    """
    return Look(
        COLORS.get(column.rule, OTHER_RULES),
        marker(column),
        LINES[column.clamped],
        FILLS[column.clamped],
        shade(column),
    )


def distinct(columns: Iterable[Column]) -> dict[Column, Look]:
    """The look of each model among others, of which no two share a mark.

    A model whose look another has gets the next free one, with another shade, marker or
    colour. Columns that differ only in their name are the same runs, and look alike.

    Args:
        columns: The models of all pictures that are seen together.
    """
    columns = list(dict.fromkeys(columns))
    models = {column: dataclasses.replace(column, name="") for column in columns}
    own: dict[Column, Look] = {}
    taken: set[tuple[str, str, str, float]] = set()
    for free in (lambda first: [first], _others):
        for column, model in models.items():
            found = (new for new in free(look(column)) if new.mark not in taken)
            if model not in own and (new := next(found, None)):
                own[model] = new
                taken.add(new.mark)
    return {column: own[model] for column, model in models.items()}


def _others(first: Look) -> Iterator[Look]:
    """Looks like the first one, without end, each less like it."""
    for hue in itertools.count():
        color = first.color if hue == 0 else _color(hue)
        for marker in (first.marker, *_OTHER_MARKERS):
            for shade in _SHADES:
                yield dataclasses.replace(
                    first, color=color, marker=marker, shade=shade
                )


def _color(number):
    # The golden ratio keeps hues apart, however many.
    parts = colorsys.hls_to_rgb(number * 0.618 % 1, 0.5, 0.6)
    return "#" + "".join(f"{round(255 * part):02X}" for part in parts)


def remedies(column: Column) -> tuple[bool, bool]:
    """Whether a model has batch normalization, and Batch Manhattan."""
    return column.normalization is not None, column.setting > 0


def marker(column: Column) -> str:
    """That of the optimizer, or of the remedies with Batch Manhattan."""
    if column.optimizer:
        return OPTIMIZERS[column.optimizer]
    return MARKERS[remedies(column)]


def shade(column: Column) -> float:
    """How strong a model's fill is; see `Look`."""
    if column.flip_probability:
        return 1 - column.flip_probability
    return {2: 0.5, 3: 0.0}.get(column.setting, 1.0)
