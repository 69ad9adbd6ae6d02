from keras import ops

from keras_asymbp import random
from keras_asymbp.feedbacks.base import sign
from keras_asymbp.feedbacks.random_sign_concordant import RandomSignConcordant


class FixedRandomSignConcordant(RandomSignConcordant):
    """Fixed random magnitudes: `V = M o sign(W) o S_p`, with M and S_p drawn once.

    M is uniform in [0, 1) and an element of S_p is -1 with probability p, 1
    otherwise. The sign is always that of the present W.

    Args:
        flip_probability (float): p, in [0, 1]: the probability that a feedback weight
            has the opposite sign of its forward weight. 0 is sign concordance, 1
            discordance.
        seed (int | None): Integer in [0, 2^31), or None for one that follows
            `keras.utils.set_random_seed`.
        scale (str | float | None): Factor of V. None: 1, as in the paper. `"fan_in"`: 1
            / (inputs of one filter). `"init_std"`: the standard deviation of He's
            initializer by outputs, sqrt(2 / (width x height x output channels)), as in
            Xiao et al. 2018. Or a number above 0.

    Raises:
        ValueError: If `flip_probability` or `seed` is out of range, or `scale` isn't
            one of these.

    Alias: `"frSF"`, and `"frSF-25"` for p = 0.25, with any whole percentage.
    Source: settings 3 and 5, section 2, Liao et al. 2016.

    >>> import keras_asymbp
    >>> import numpy as np
    >>> layer = keras_asymbp.AsymDense(1, feedback="frSF")
    >>> layer.build((None, 2))
    >>> _ = layer.kernel.assign([[-0.3], [2.0]])
    >>> before = layer.feedback_kernel
    >>> _ = layer.kernel.assign([[0.3], [5.0]])
    >>> np.ravel(layer.feedback_kernel / before).tolist()
    [-1.0, 1.0]
    """

    alias = "frSF"

    def build(self, kernel_shape):
        self._factor = self.add_weight(
            name="factor",
            shape=kernel_shape,
            initializer=lambda shape, dtype: ops.cast(
                random.signed_magnitudes(
                    shape, self._first_seed, 0, self.flip_probability
                ),
                dtype,
            ),
            trainable=False,
        )
        super().build(kernel_shape)

    def call(self, kernel):
        return self.scaled(self._factor * sign(kernel))
