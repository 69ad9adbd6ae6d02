"""Growth of step time with width, depth and batch size, for uSF and stock Keras.

The networks are fully connected. A slope is that of log time over log size, by least
squares: lines that are parallel on a logarithmic plot have equal slopes.
"""

from collections.abc import Iterator, Sequence

import keras
import numpy as np

import keras_asymbp
from benchmarks.speed import workloads
from benchmarks.speed.measure import Options, interleaved

TITLE = "How step time grows"
# One of the three is varied, the others stay in the middle.
MIDDLE = {"width": 512, "depth": 4, "batch": 100}
VARIED = {
    "width": (256, 512, 1024, 2048),
    "depth": (2, 4, 8, 16),
    "batch": (50, 100, 200, 400),
}
KINDS = ("stock Keras", "uSF")
# Over an eightfold range, ratios that differ by a tenth.
SLOPE_GOAL = 0.05
_INPUTS, _CLASSES, _STEPS = 256, 10, 30


def rows(options: Options) -> Iterator[dict]:
    """Rows for the points of both lines, their slopes, and the difference of these."""
    for quantity, sizes in VARIED.items():
        contestants = {}
        for size in sizes:
            shape = MIDDLE | {quantity: size}
            for kind in KINDS:
                contestants[kind, size] = _fit(kind, options, **shape)
        result = interleaved(contestants, options.rounds)
        for kind, size in contestants:
            yield result.row(
                result.seconds((kind, size)),
                case=quantity,
                name=kind,
                unit="s a step",
                size=size,
                note=f"{quantity} {size}",
            )
        slopes = {
            kind: _slopes(result, [(kind, size) for size in sizes]) for kind in KINDS
        }
        for kind, values in slopes.items():
            yield result.row(values, case=quantity, name=f"{kind}, slope", unit="")
        plain, ours = slopes.values()
        yield result.row(
            tuple(np.subtract(ours, plain).tolist()),
            case=quantity,
            name="uSF's slope less stock Keras's",
            unit="",
            goal=SLOPE_GOAL,
            sense="at most",
        )


def _slopes(result, points):
    """The slope of each round, by wall-clock time and by processor time."""
    sizes = [size for _, size in points]
    wall, cpu = zip(*(result.seconds(point) for point in points), strict=True)
    return tuple(
        [slope(sizes, seconds) for seconds in zip(*lines, strict=True)]
        for lines in (wall, cpu)
    )


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The slope of log time over log size."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def _fit(kind, options, width, depth, batch):
    layers = [keras.layers.Dense(width, "relu") for _ in range(depth)]
    model = keras.Sequential(
        [keras.Input((_INPUTS,)), *layers, keras.layers.Dense(_CLASSES)]
    )
    if kind == "uSF":
        model = keras_asymbp.asymmetrize(model, "uSF", print_fn=None)
    data = workloads.random_examples((_INPUTS,), _CLASSES, _STEPS * batch)
    return workloads.Fit(model, workloads.sgd(), data, options, batch)
