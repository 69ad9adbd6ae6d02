"""What differs between TensorFlow and JAX: the same few functions, in a file for each.

Keras's backend chooses the file. Nothing else in the library imports either.
"""

import keras

if keras.backend.backend() == "tensorflow":
    from keras_asymbp.backend.tensorflow import *  # noqa: F403
elif keras.backend.backend() == "jax":
    from keras_asymbp.backend.jax import *  # type: ignore[assignment]  # noqa: F403
else:
    raise ImportError(
        "keras_asymbp works with the TensorFlow and JAX backends of Keras: set "
        "KERAS_BACKEND=tensorflow or KERAS_BACKEND=jax before Keras is imported. "
        f"Received: {keras.backend.backend()}"
    )
