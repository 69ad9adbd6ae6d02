"""Refuses a backend of Keras on which the package does not work, in one sentence."""

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "keras_asymbp works with the TensorFlow backend of Keras only: set "
        "KERAS_BACKEND=tensorflow before Keras is imported. Received: "
        f"{keras.backend.backend()}"
    )
