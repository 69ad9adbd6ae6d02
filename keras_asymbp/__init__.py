"""Keras layers that send errors back through weights other than W."""

import re
import sys
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:  # the layers are found at import, not listed
    from keras_asymbp.layers._public import *  # noqa: F403


def _is_command() -> bool:
    """Whether this process is starting our command line.

    Our command line answers `--help` without TensorFlow, and Python imports this file
    first. While `python -m` looks for its module, `sys.argv` is `["-m", *arguments]`;
    in `sys.orig_argv` the module's name, perhaps glued to `-m`, precedes the arguments.
    A worker process has the `sys.argv` of its command.
    """
    program = sys.argv[0] if sys.argv else ""
    if program != "-m":
        files = rf"{re.escape(__path__[0])}/(benchmarks/.+|__main__\.py)"
        ours = rf"((.*/)?keras-asymbp|{files})( \w+)?"  # and perhaps a subcommand
        return re.fullmatch(ours, program) is not None
    module = sys.orig_argv[-len(sys.argv)]
    ours = r"(-[a-zA-Z]*m)?keras_asymbp(\.__main__|\.benchmarks(\..+)?)?"
    return re.fullmatch(ours, module) is not None


if not TYPE_CHECKING and _is_command():
    from keras_asymbp.benchmarks import guard as _guard

    _guard.install()
else:
    import keras_asymbp.backend as _backend  # noqa: F401 (refuses others before all)
    from keras_asymbp import (
        diagnostics,
        feedbacks,
        layers,
        metrics,
        models,
        optimizers,
    )
    from keras_asymbp import export as _export  # noqa: F401
    from keras_asymbp.callbacks import (
        AlignmentMonitor,
        BatchStatistics,
        MirrorFeedback,
        RedrawFeedback,
    )
    from keras_asymbp.callbacks.mirror_feedback import mirror_feedback
    from keras_asymbp.callbacks.redraw_feedback import redraw_feedback
    from keras_asymbp.conversion import asymmetrize, symmetrize
    from keras_asymbp.direct_feedback import direct_feedback
    from keras_asymbp.normalization import BatchNormalization
    from keras_asymbp.optimizers import BatchManhattan

    globals().update(layers.LAYERS)

    __all__ = [
        "AlignmentMonitor",
        "BatchManhattan",
        "BatchNormalization",
        "BatchStatistics",
        "MirrorFeedback",
        "RedrawFeedback",
        "asymmetrize",
        "diagnostics",
        "direct_feedback",
        "feedbacks",
        "layers",
        "metrics",
        "mirror_feedback",
        "models",
        "optimizers",
        "redraw_feedback",
        "symmetrize",
        *layers.LAYERS,
    ]
