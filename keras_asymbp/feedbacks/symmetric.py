from keras_asymbp.feedbacks.base import Feedback


class Symmetric(Feedback):
    """Backpropagation, the control: `V = W`.

    The layer's gradients are those of the Keras layer of the same name.

    Alias: `"BP"`.

    >>> import keras_asymbp
    >>> import numpy as np
    >>> layer = keras_asymbp.AsymDense(2, feedback="BP")
    >>> layer.build((None, 3))
    >>> np.array_equal(layer.feedback_kernel, layer.kernel)
    True
    """

    alias = "BP"
    symmetric = True

    def call(self, kernel):
        return kernel
