from keras import ops

from keras_asymbp import random
from keras_asymbp.feedbacks.base import sign
from keras_asymbp.feedbacks.random_sign_concordant import RandomSignConcordant


class InitSignedRandom(RandomSignConcordant):
    """Random magnitudes with the initial signs of W: `V = M o sign(W(0)) o S_p`.

    M is uniform in [0, 1) and an element of S_p is -1 with probability p, 1 otherwise.
    V is fixed, even when W's signs change. Compare it with `frSF`, whose signs follow
    W, to measure what following them is worth.

    W(0) is W at the first gradient: weights that are loaded or set before count.

    Args:
        flip_probability (float): p, in [0, 1]: the probability that a feedback weight
            has the opposite sign of its forward weight's initial value.
        seed (int | None): Integer in [0, 2^31), or None for one that follows
            `keras.utils.set_random_seed`.
        scale (str | float | None): Factor of V. None: 1. `"fan_in"`: 1 / (inputs of one
            filter). `"init_std"`: the standard deviation of He's initializer by
            outputs, sqrt(2 / (width x height x output channels)), as in Xiao et al.
            2018. Or a number above 0.

    Raises:
        ValueError: If `flip_probability` or `seed` is out of range, or `scale` isn't
            one of these.

    Source: after the control "feedback alignment with signed initialization" in the
    code of Xiao, Chen, Liao and Poggio, "Biologically-plausible learning algorithms can
    scale to large datasets", 2018; there all magnitudes are equal.

    >>> import keras_asymbp
    >>> import numpy as np
    >>> layer = keras_asymbp.AsymDense(1, feedback="InitSignedRandom")
    >>> layer.build((None, 2))
    >>> _ = layer.kernel.assign([[-0.3], [2.0]])
    >>> layer.catch_up_feedback()  # as the first gradient does
    >>> before = layer.feedback_kernel
    >>> _ = layer.kernel.assign([[0.3], [5.0]])
    >>> np.ravel(layer.feedback_kernel / before).tolist()
    [1.0, 1.0]
    """

    def build(self, kernel_shape):
        # M o S_p until the first gradient, then V.
        self._weights = self.add_weight(
            name="weights",
            shape=kernel_shape,
            initializer=lambda shape, dtype: ops.cast(
                random.signed_magnitudes(
                    shape, self._first_seed, 0, self.flip_probability
                ),
                dtype,
            ),
            trainable=False,
            aggregation="only_first_replica",
        )
        self._is_signed = self.add_weight(
            name="is_signed",
            shape=(),
            dtype="int32",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )
        super().build(kernel_shape)

    def call(self, kernel):
        return self.scaled(self._signed(kernel))

    def catch_up(self, kernel):
        self._weights.assign(self._signed(kernel))
        self._is_signed.assign(1)

    def _signed(self, kernel):
        weights = ops.convert_to_tensor(self._weights)
        is_signed = ops.convert_to_tensor(self._is_signed)
        return ops.where(is_signed == 1, weights, weights * sign(kernel))
