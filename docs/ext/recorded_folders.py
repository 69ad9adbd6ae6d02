"""The recorded folders, and the facts of their runs that the trials do not state."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
# The searched rates, where they are not those of the preset.
RATES = dict.fromkeys(
    ("quick-fa-bench-cifar10", "quick-fa-bench-resnet"), (5e-3, 5e-4, 5e-5)
)
# The flags of a part of the depth study.
DEPTH_FLAGS = {
    "paper-depth-mnist_5k": (
        "--preset=paper",
        "--learning_rates=5e-2,5e-3,5e-4,5e-5,5e-6",
        "--depths=20",
        "--models=BP+BN+BM,uSF+BN+BM,brSF+BN+BM,RndF+BN+BM",
    )
}


def names():
    """The names of the recorded folders, sorted."""
    return sorted(path.parent.name for path in RESULTS.glob("*/trials"))
