"""An epoch as one program against its steps one by one, on JAX."""

import contextlib
from collections.abc import Iterator

from benchmarks.speed import backend
from benchmarks.speed.measure import Options, interleaved

TITLE = "A step within an epoch program against a step alone, on JAX"
RULES = ("uSF", "brSF")


def rows(options: Options) -> Iterator[dict]:
    """A row for each network and rule; on a GPU also with TF32, JAX's own default."""
    ways: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
        "step by step": ((), {}),
        "epoch program": (("--whole_epochs",), {}),
    }
    if options.device == "gpu":
        tf32 = {"JAX_DEFAULT_MATMUL_PRECISION": "tensorfloat32"}
        ways["epoch program, TF32"] = ("--whole_epochs",), tf32
    base, *others = ways
    for name in options.architectures:
        for rule in RULES:
            with contextlib.ExitStack() as stack:
                contestants = {
                    way: stack.enter_context(
                        backend.start(name, rule, "jax", *flags, **variables)
                    )
                    for way, (flags, variables) in ways.items()
                }
                result = interleaved(contestants, options.rounds)
            case = f"{name}, {rule}"
            for way in ways:
                yield result.row(
                    result.seconds(way), case=case, name=way, unit="s a step"
                )
            for way in others:
                yield result.row(
                    result.ratios(way, base),
                    case=case,
                    name=f"{way} / {base}",
                    unit=f"x {base}",
                )
