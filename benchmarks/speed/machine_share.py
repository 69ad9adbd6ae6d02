"""The share of the machine's matrix product rate that a training step reaches.

Only products count, with a multiplication and an addition as two operations:

    forward of a Dense layer = 2 * batch * inputs * units
    forward of a convolution = 2 * batch * channels * filters * rows * columns
    step = forward + dE/dW + dE/dX = 3 * forward

except in the first layer, whose dE/dX is not needed: 2 * forward. Rows are the pairs of
an output position and a row of the kernel that meets the image there, columns likewise:
products with the padding's zeros do not count.
"""

import collections
import glob
import re
import tempfile
from collections.abc import Iterator

import keras
import tensorflow as tf

from benchmarks.speed import workloads
from benchmarks.speed.measure import Options, interleaved, row

TITLE = "Share of the machine's float32 matrix product rate"
GOALS = {"cifar": 0.7, "mnist": 0.5}
# Rows and columns of the matrices whose product gives the reference rate.
SIZE = 2048
# Maximum number of TensorFlow operations with a row in the profile.
_MOST = 8


def rows(options: Options) -> Iterator[dict]:
    """The share of each network that has a goal, and the profile of a step."""
    for name in (name for name in options.architectures if name in GOALS):
        data = workloads.examples(name, workloads.STEPS[name] * workloads.BATCH)
        contestants = {"product": _product()}
        for kind, model in {
            "stock Keras": workloads.stock(name),
            "uSF": workloads.asymmetric(name, "uSF"),
        }.items():
            contestants[kind] = workloads.Fit(model, workloads.sgd(), data, options)
        result = interleaved(contestants, options.rounds)
        done = operations(contestants["uSF"].model, workloads.BATCH)
        rate = [2 * SIZE**3 / s / 1e9 for s in result.seconds("product")[0]]
        yield result.row((rate, rate), case=name, name="matrix product", unit="GFLOP/s")
        for kind in ("stock Keras", "uSF"):
            wall, cpu = result.ratios("product", kind)
            of_product = done / (2 * SIZE**3)
            yield result.row(
                ([of_product * r for r in wall], [of_product * r for r in cpu]),
                case=name,
                name=kind,
                unit="of the product's rate",
                goal=GOALS[name] if kind == "uSF" else None,
                sense="at least",
                note=f"{done / 1e9:.2f} GFLOP a step",
            )
        if options.device == "cpu":
            yield from _profile(name, contestants["uSF"])


def operations(model: keras.Model, batch: int) -> int:
    """Floating-point operations of the products of one training step."""
    forward = [
        2 * batch * _products(layer)
        for layer in model.layers
        if hasattr(layer, "kernel")
    ]
    return 3 * sum(forward) - forward[0]


def _products(layer):
    """Multiplications of a layer's forward pass, for one example."""
    *sizes, inputs, filters = layer.kernel.shape
    count = inputs * filters
    for axis, size in enumerate(sizes):
        extent, positions = layer.input.shape[1 + axis], layer.output.shape[1 + axis]
        stride = layer.strides[axis]
        before = 0
        if layer.padding == "same":
            before = max(0, (positions - 1) * stride + size - extent) // 2
        count *= sum(
            0 <= position * stride - before + tap < extent
            for position in range(positions)
            for tap in range(size)
        )
    return count


def _product():
    matrix = tf.random.normal((SIZE, SIZE))
    function = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)))
    return lambda: float(function())  # waits for the result


def _profile(name, fit):
    """The operations that take most of a step, from TensorFlow's profiler."""
    with tempfile.TemporaryDirectory() as folder:
        level = tf.profiler.experimental.ProfilerOptions(
            host_tracer_level=3, python_tracer_level=0
        )
        tf.profiler.experimental.start(folder, level)
        taken = fit()
        tf.profiler.experimental.stop()
        (file,) = glob.glob(f"{folder}/**/*.xplane.pb", recursive=True)
        with open(file, "rb") as opened:
            seconds = by_operation(opened.read())
    shares = {kind: s / fit.steps / taken.wall for kind, s in seconds.items()}
    first = sorted(shares, key=shares.__getitem__, reverse=True)[:_MOST]
    others = sum(shares.values()) - sum(shares[kind] for kind in first)
    parts = {kind: shares[kind] for kind in first} | {"other operations": others}
    # Operations that run in parallel make this small or negative.
    parts["no operation: fit, executor"] = 1 - sum(shares.values())
    for kind, share in parts.items():
        yield row(share, case=f"{name}, uSF: profile", name=kind, unit="of a step")


def by_operation(profile: bytes) -> dict[str, float]:
    """Seconds of each kind of TensorFlow operation in a serialized profile.

    The tracer names an operation "name of the node:kind".
    """
    # In TensorFlow, but not in its public API.
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    seconds: dict[str, float] = collections.defaultdict(float)
    space = xplane_pb2.XSpace.FromString(profile)
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                if found := re.fullmatch(r"[^:]+:(_?[A-Z]\w+)", name):
                    kind = found[1].removeprefix("_MklNative")
                    seconds[kind] += event.duration_ps / 1e12
    return dict(seconds)
