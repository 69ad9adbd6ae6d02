"""Optimizers."""

from keras_asymbp.optimizers.batch_manhattan import BatchManhattan

__all__ = ["BatchManhattan"]
