"""The memory of a rule's variables, and the peak of a training step.

The peak is TensorFlow's allocator's: the most bytes that tensors of the device had at
once since its statistics were reset, weights, momentum and data included
(`tf.config.experimental.get_memory_info`).
"""

import concurrent.futures
import multiprocessing
import statistics
from collections.abc import Iterator

import tensorflow as tf

from benchmarks.speed import workloads
from benchmarks.speed.measure import Options, row
from keras_asymbp.benchmarks.errors import UsageError

TITLE = "Memory against stock Keras"
# Kernels that a rule may hold beside W.
RULES = {"uSF": 0, "NuSF": 0, "frSF": 1, "brSF": 1, "RndF": 1}
PEAK_GOAL = 1.05
# Less than a kernel: a few numbers for each layer.
_HOLDS_NONE = 0.01
_STEPS = 2
# The order of operations, and with it the peak, differs more between processes than
# within one.
_PROCESSES = 3


def rows(options: Options) -> Iterator[dict]:
    """Two rows for each network and rule: kernels held, and the peak."""
    for name in options.architectures:
        found: dict = {rule: [] for rule in (None, *RULES)}
        for _ in range(_PROCESSES):
            for rule, bytes_of_one in found.items():
                bytes_of_one.append(_alone(name, rule, options))
        (plain, kernels, _), *_ = found[None]
        plain_peak = statistics.median(_peaks(found[None]))
        shared = {"case": name, "rounds": _PROCESSES * options.rounds}
        yield _peak(found[None], 1e6, name="stock Keras, peak", unit="MB", **shared)
        for rule, most in RULES.items():
            held = found[rule][0][0]
            yield row(
                (held - plain) / kernels,
                case=name,
                name=f"{rule}, variables",
                unit="kernels more",
                goal=most or _HOLDS_NONE,
                sense="at most",
                note=f"{held - plain} bytes",
            )
            yield _peak(
                found[rule],
                plain_peak + most * kernels,
                name=f"{rule}, peak",
                unit=f"x stock Keras{' and a kernel' * most}",
                goal=PEAK_GOAL,
                sense="at most",
                **shared,
            )


def _peak(found, unit_bytes, **more):
    peaks = _peaks(found)
    middle = statistics.median(peaks)
    return row(
        middle / unit_bytes,
        low=min(peaks) / unit_bytes,
        high=max(peaks) / unit_bytes,
        note=f"{middle / 1e6:.1f} MB",
        **more,
    )


def _peaks(found):
    return [peak for *_, peaks in found for peak in peaks]


def _alone(*arguments):
    """`measured` in its own process, so that a peak includes no other model."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        return pool.submit(measured, *arguments).result()


def measured(name, rule, options):
    """Bytes of a model's variables, of its kernels, and at the peak of each round."""
    model = workloads.asymmetric(name, rule) if rule else workloads.stock(name)
    data = workloads.examples(name, _STEPS * workloads.BATCH)
    fit = workloads.Fit(model, workloads.sgd(), data, options)
    fit()  # traces, and makes the optimizer's variables
    device = f"{options.device.upper()}:0"
    peaks = []
    for _ in range(options.rounds):
        try:
            tf.config.experimental.reset_memory_stats(device)
            fit()
            peaks.append(tf.config.experimental.get_memory_info(device)["peak"])
        except ValueError as error:
            raise UsageError(
                f"TensorFlow's allocator has no statistics on {device}: set "
                "TF_CPU_ALLOCATOR_USE_BFC=true"
            ) from error
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    return size(model.variables), size(kernels), peaks


def size(variables) -> int:
    """Bytes of the variables."""
    return sum(tf.convert_to_tensor(v).numpy().nbytes for v in variables)
