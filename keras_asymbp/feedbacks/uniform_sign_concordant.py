from keras_asymbp.feedbacks.base import sign
from keras_asymbp.feedbacks.sign_concordant import SignConcordant


class UniformSignConcordant(SignConcordant):
    """Uniform sign-concordant feedback: `V = sign(W)`.

    `sign(0) = 0`. Gradients of deep networks without normalization often explode under
    this rule; batch normalization, `BatchManhattan` or a smaller `scale` prevents it.

    Args:
        scale (str | float | None): Factor of V. None: 1, as in the paper. `"fan_in"`: 1
            / (inputs of one filter), which is `NuSF`. `"init_std"`: the standard
            deviation of He's initializer by outputs, sqrt(2 / (width x height x output
            channels)), as in Xiao et al. 2018. Or a number above 0.

    Raises:
        ValueError: If `scale` isn't one of these.

    Alias: `"uSF"`. Source: setting 1, section 2, Liao et al. 2016.

    >>> import keras_asymbp
    >>> import numpy as np
    >>> layer = keras_asymbp.AsymDense(1, feedback="uSF")
    >>> layer.build((None, 3))
    >>> _ = layer.kernel.assign([[-0.3], [0.0], [2.0]])
    >>> np.ravel(layer.feedback_kernel).tolist()
    [-1.0, 0.0, 1.0]
    """

    alias = "uSF"

    def call(self, kernel):
        return self.scaled(sign(kernel))
