"""Data sets by name. Importing this package imports neither TensorFlow nor TFDS."""

from keras_asymbp.benchmarks.datasets.catalog import DATASETS, find, get
from keras_asymbp.benchmarks.datasets.dataset import Arrays, Dataset, Source

__all__ = ["DATASETS", "Arrays", "Dataset", "Source", "find", "get"]
