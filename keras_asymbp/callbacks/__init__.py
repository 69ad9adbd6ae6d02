"""Callbacks."""

from keras_asymbp.callbacks.alignment_monitor import AlignmentMonitor
from keras_asymbp.callbacks.batch_statistics import BatchStatistics
from keras_asymbp.callbacks.mirror_feedback import MirrorFeedback, mirror_feedback
from keras_asymbp.callbacks.redraw_feedback import RedrawFeedback, redraw_feedback

__all__ = [
    "AlignmentMonitor",
    "BatchStatistics",
    "MirrorFeedback",
    "RedrawFeedback",
    "mirror_feedback",
    "redraw_feedback",
]
