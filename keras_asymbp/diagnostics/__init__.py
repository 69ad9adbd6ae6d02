"""Why a network doesn't learn: errors and gradients beside backpropagation's.

All measures are computed in float64 by NumPy, and leave the model as it is.

>>> from keras_asymbp import diagnostics
>>> round(diagnostics.effective_rank([[3.0, 0.0], [0.0, 3.0]]), 6)
2.0
"""

from keras_asymbp.diagnostics.comparison import diagnose
from keras_asymbp.diagnostics.rank import effective_rank
from keras_asymbp.diagnostics.similarity import linear_cka, similarity

__all__ = ["diagnose", "effective_rank", "linear_cka", "similarity"]
