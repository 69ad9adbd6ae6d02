"""Calls of a model for their effects, compiled once a model."""

import weakref

from keras_asymbp._state import all_of
from keras_asymbp.backend import CompiledCall

_calls: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def compiled_call(model, training=False, switches=()):
    """Returns the model's `CompiledCall`: one, however often it is asked for.

    It is a new one after layers were added, frozen or unfrozen.

    Args:
        model: A `keras.Model` or layer; it is not kept alive.
        training: The argument of the call.
        switches: Switches that are on in the call.
    """
    layers = [(weakref.ref(x), x.trainable) for x in model._flatten_layers()]
    known, calls = _calls.get(model, (None, None))
    if known != layers:
        calls = {}
        _calls[model] = layers, calls
    key = training, *switches
    if key not in calls:
        calls[key] = CompiledCall(model, training, switches, all_of(model))
    return calls[key]
