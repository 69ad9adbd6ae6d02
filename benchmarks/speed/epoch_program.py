"""An epoch as one program, and lanes of it, against steps one by one, on JAX."""

import contextlib
from collections.abc import Iterator

from benchmarks.speed import backend
from benchmarks.speed.measure import Options, interleaved

TITLE = "A step within an epoch program against a step alone, on JAX"
RULES = ("uSF", "brSF")


def rows(options: Options) -> Iterator[dict]:
    """Rows for each network and rule; on a GPU also of TF32, JAX's own default.

    A step of several lanes is that of one of them.
    """
    ways: dict[str, tuple[tuple[int, ...], dict[str, str]]] = {
        "step by step": ((), {}),
        "epoch program": ((1,), {}),
        "five lanes": ((5,), {}),
    }
    if options.device == "gpu":
        tf32 = {"JAX_DEFAULT_MATMUL_PRECISION": "tensorfloat32"}
        ways["epoch program, TF32"] = (1,), tf32
    base, *others = ways
    for name in options.architectures:
        for rule in RULES:
            with contextlib.ExitStack() as stack:
                contestants = {
                    way: stack.enter_context(
                        backend.start(name, rule, "jax", *lanes, **variables)
                    )
                    for way, (lanes, variables) in ways.items()
                }
                result = interleaved(contestants, options.rounds)
            case = f"{name}, {rule}"
            yield from result.times(case)
            for way in others:
                yield result.row(
                    result.ratios(way, base),
                    case=case,
                    name=f"{way} / {base}",
                    unit=f"x {base}",
                )
