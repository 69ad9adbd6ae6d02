"""The recorded folders, and the facts of their runs that the trials do not state."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
# The searched rates, where they are not those of the preset.
RATES = {
    "quick-mnist_5k-small-rates": (3e-7, 1e-7, 3e-8),
    "quick-fa-bench-cifar10": (5e-3, 5e-4, 5e-5),
    "quick-fa-bench-resnet": (5e-3, 5e-4, 5e-5),
    "biotorch-cifar10": (0.1 / 128,),
    "biotorch-cifar10-dfa": (0.001 / 128,),
    "paper-depth-mnist_5k": (5e-2, 5e-3, 5e-4, 5e-5, 5e-6),
}
# The other flags of the depth studies.
DEPTH_FLAGS = {
    "depth-mnist_5k": ("--epochs=4",),
    "paper-depth-mnist_5k": (
        "--preset=paper",
        "--depths=20",
        "--models=BP+BN+BM,uSF+BN+BM,brSF+BN+BM,RndF+BN+BM",
    ),
}


def names():
    """The names of the recorded folders, sorted."""
    return sorted(path.parent.name for path in RESULTS.glob("*/trials"))
