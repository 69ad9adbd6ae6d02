"""`model.export` without the feedback: a served model has no backward pass.

A SavedModel holds every variable of the model and the functions of custom gradients,
and Keras has no public way to leave some out. So models are exported as if V were W and
rules had no variables.
"""

import functools

import keras

from keras_asymbp._switch import backpropagation, hidden

_export = keras.Model.export


@functools.wraps(_export)
def _export_without_feedback(*args, **kwargs):
    with hidden(), backpropagation():
        return _export(*args, **kwargs)


keras.Model.export = _export_without_feedback
