from keras_asymbp.feedbacks.base import Feedback, fan, sign


class NormalizedUniformSignConcordant(Feedback):
    """Normalized uniform sign-concordant feedback: `V = sign(W) / n`.

    `n` is the number of inputs of one filter: width x height x input channels (of
    one group) for a convolution, the number of inputs of a Dense layer. Gradients
    don't explode, but vanish in deep networks.

    Alias: `"NuSF"`. Source: experiment A, section 5, Liao et al. 2016.

    >>> import keras_asymbp
    >>> import numpy as np
    >>> layer = keras_asymbp.AsymDense(1, feedback="NuSF")
    >>> layer.build((None, 4))
    >>> _ = layer.kernel.assign([[-0.3], [0.0], [2.0], [0.1]])
    >>> np.ravel(layer.feedback_kernel).tolist()
    [-0.25, 0.0, 0.25, 0.25]
    """

    alias = "NuSF"

    def call(self, kernel):
        # Not a division, which XLA rounds in another way on GPUs.
        return sign(kernel) * (1 / fan(self, "fan_in"))
