"""What differs between TensorFlow and JAX: the same few functions, in a file for each.

Keras's backend chooses the file. Nothing else in the library imports either.
"""

import keras

if keras.backend.backend() == "tensorflow":
    from keras_asymbp.backend import tensorflow as _chosen
elif keras.backend.backend() == "jax":
    from keras_asymbp.backend import jax as _chosen  # type: ignore[no-redef]
else:
    raise ImportError(
        "keras_asymbp works with the TensorFlow and JAX backends of Keras: set "
        "KERAS_BACKEND=tensorflow or KERAS_BACKEND=jax before Keras is imported. "
        f"Received: {keras.backend.backend()}"
    )

CompiledCall = _chosen.CompiledCall
Switch = _chosen.Switch
SwitchInFunction = _chosen.SwitchInFunction
around_train_step = _chosen.around_train_step
eagerly = _chosen.eagerly
fingerprint = _chosen.fingerprint
gradients = _chosen.gradients
has_value = _chosen.has_value
inlined = _chosen.inlined
keeps_backward = _chosen.keeps_backward
may_commit = _chosen.may_commit
outside_loops = _chosen.outside_loops
random_bits = _chosen.random_bits
random_halves = _chosen.random_halves
uncompiled = _chosen.uncompiled
vjp = _chosen.vjp
with_backward = _chosen.with_backward
with_feedback = _chosen.with_feedback
