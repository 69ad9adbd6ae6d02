from keras_asymbp.feedbacks.base import Feedback, sign


class UniformSignConcordant(Feedback):
    """Uniform sign-concordant feedback: `V = sign(W)`.

    `sign(0) = 0`. Deep networks without normalization often have exploding gradients
    under this rule; batch normalization or `BatchManhattan` mends that.

    Alias: `"uSF"`. Source: setting 1, section 2, Liao et al. 2016.

    >>> import keras_asymbp
    >>> layer = keras_asymbp.AsymDense(1, feedback="uSF")
    >>> layer.build((None, 3))
    >>> _ = layer.kernel.assign([[-0.3], [0.0], [2.0]])
    >>> layer.feedback_kernel.numpy().ravel().tolist()
    [-1.0, 0.0, 1.0]
    """

    alias = "uSF"

    def call(self, kernel):
        return sign(kernel)
