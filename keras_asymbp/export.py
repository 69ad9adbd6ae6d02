"""`model.export` without the feedback: a served model has no backward pass.

A SavedModel holds every variable of the model and the functions of custom gradients,
and Keras has no public way to leave some out. So models with asymmetric layers or
direct feedback are exported as if V were W and rules had no variables; Keras exports
all other models.

This replaces `keras.Model.export`. There is no narrower place: Keras exports the
variables that the model lists before it traces a call, and neither the listing nor the
trace says what it is for. A layer can't give its model an `export` either, because
`keras.Model(inputs, outputs)` tells no layer which model it is now part of.
"""

import functools

import keras

from keras_asymbp._switch import backpropagation, hidden
from keras_asymbp.backend import inlined
from keras_asymbp.error_routes import DirectFeedback
from keras_asymbp.layers import AsymmetricLayer

_export = keras.Model.export


@functools.wraps(_export)
def _export_without_feedback(self, *args, **kwargs):
    layers = self._flatten_layers()
    if not any(isinstance(each, AsymmetricLayer | DirectFeedback) for each in layers):
        return _export(self, *args, **kwargs)
    with hidden(), backpropagation(), inlined():
        return _export(self, *args, **kwargs)


keras.Model.export = _export_without_feedback
