"""Benchmarks of the package: python -m benchmarks.NAME"""

import os

# As `keras-asymbp` does. TensorFlow reads them at its import, in the programs here that
# is before they start.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
