"""Callbacks."""

from keras_asymbp.callbacks.batch_statistics import BatchStatistics
from keras_asymbp.callbacks.redraw_feedback import RedrawFeedback, redraw_feedback

__all__ = ["BatchStatistics", "RedrawFeedback", "redraw_feedback"]
