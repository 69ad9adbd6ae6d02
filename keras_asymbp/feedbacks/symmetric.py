from keras_asymbp.feedbacks.base import Feedback


class Symmetric(Feedback):
    """Backpropagation, the control: `V = W`.

    The layer's gradients are those of the Keras layer of the same name.

    Alias: `"BP"`.

    >>> import keras_asymbp
    >>> layer = keras_asymbp.AsymDense(2, feedback="BP")
    >>> layer.build((None, 3))
    >>> bool((layer.feedback_kernel == layer.kernel).numpy().all())
    True
    """

    alias = "BP"
    symmetric = True

    def call(self, kernel):
        return kernel
