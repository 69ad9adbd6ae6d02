"""The measures of each layer's error and gradient in a stored trial; their ranges."""

from collections.abc import Mapping

from keras_asymbp.benchmarks.tables.form import Form, Nullable, number

_COSINE, _SIZE, _RANK = (Nullable(number(*ends)) for ends in ((-1, 1), (0,), (1,)))

MEASURES: Mapping[str, Form] = {
    "error_cosine": _COSINE,
    "error_norm_ratio": _SIZE,
    "error_rms": _SIZE,
    "bp_error_rms": _SIZE,
    "error_effective_rank": _RANK,
    "bp_error_effective_rank": _RANK,
    "preactivation_rms": _SIZE,
    "gradient_norm_ratio": _SIZE,
    "gradient_decrease": Nullable(number()),
}
"""By their names in `keras_asymbp.diagnostics.diagnose`; null if not defined.

The angle of the gradient is in the trial's alignment.
"""
