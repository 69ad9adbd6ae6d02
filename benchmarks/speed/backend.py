"""A training step of the suite on JAX against one on TensorFlow."""

import contextlib
import sys
from collections.abc import Iterator

from benchmarks.speed import suite_steps, workloads
from benchmarks.speed.measure import Options, interleaved
from benchmarks.speed.peer import Peer
from keras_asymbp.benchmarks import environment

TITLE = "A step of the suite's trainer on JAX against TensorFlow"
RULES = ("BP", "uSF", "brSF")


def rows(options: Options) -> Iterator[dict]:
    """A row for each network and rule: the time on JAX over that on TensorFlow."""
    for name in options.architectures:
        for rule in RULES:
            with contextlib.ExitStack() as stack:
                contestants = {
                    backend: stack.enter_context(start(name, rule, backend))
                    for backend in environment.BACKENDS
                }
                result = interleaved(contestants, options.rounds)
            case = f"{name}, {rule}"
            yield from result.times(case)
            yield result.row(
                result.ratios("jax", "tensorflow"),
                case=case,
                name="JAX / TensorFlow",
                unit="x TensorFlow",
            )


def start(name: str, rule: str, backend: str, *lanes: int, **variables: str) -> Peer:
    """Starts the suite's trainer in a process of its own.

    Args:
        name: A network of Table 1.
        rule: The feedback rule.
        backend: Keras's backend there.
        *lanes: None, or one number; see `suite_steps`.
        **variables: Environment variables.
    """
    command = [sys.executable, "-m", "benchmarks.speed.suite_steps", name, rule, *lanes]
    steps = workloads.STEPS[name] * suite_steps.EPOCHS
    return Peer(backend, command, steps, {"KERAS_BACKEND": backend, **variables})
