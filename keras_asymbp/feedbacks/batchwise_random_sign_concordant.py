from keras import ops

from keras_asymbp import random
from keras_asymbp._switch import redrawn
from keras_asymbp.feedbacks.base import sign
from keras_asymbp.feedbacks.random_sign_concordant import RandomSignConcordant

# Elements of the state vector. The fingerprint is that of W at this draw's last
# gradient; 0 if none was recorded.
_SEED, _DRAW, _FINGERPRINT = range(3)


class BatchwiseRandomSignConcordant(RandomSignConcordant):
    """Batchwise random magnitudes: `V = M o sign(W) o S_p`.

    M is uniform in [0, 1) and an element of S_p is -1 with probability p, 1
    otherwise. Both are redrawn after each update of W: in `fit` by `RedrawFeedback`, in
    a loop of your own by `redraw_feedback(model)`. Without either, the first gradient
    after a change of W redraws them, so that this rule never turns into `frSF`; only a
    frozen layer, whose W does not change, then keeps its M.

    M is a function of the seed and the draw's number, so M itself is never stored, and
    a saved model continues its sequence of draws. Neither `evaluate` nor `predict`
    draws.

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

    Alias: `"brSF"`, and `"brSF-25"` for p = 0.25, with any whole percentage.
    Source: settings 2 and 4, section 2, Liao et al. 2016.

    >>> import keras_asymbp
    >>> import numpy as np
    >>> layer = keras_asymbp.AsymDense(1, feedback="brSF")
    >>> layer.build((None, 3))
    >>> _ = layer.kernel.assign([[-0.3], [0.0], [2.0]])
    >>> v = np.ravel(layer.feedback_kernel)
    >>> bool(-1 < v[0] < 0 and v[1] == 0 and 0 < v[2] < 1)
    True
    """

    alias = "brSF"

    def build(self, kernel_shape):
        self._state = self.add_weight(
            name="state",
            shape=(3,),
            dtype="int32",
            initializer=lambda shape, dtype: ops.array([self._first_seed, 0, 0], dtype),
            trainable=False,
            aggregation="only_first_replica",
        )
        super().build(kernel_shape)

    @property
    def draws(self):
        """Number of redraws so far, an integer."""
        return int(self._state[_DRAW])

    @property
    def draw_number(self):
        return ops.convert_to_tensor(self._state)[_DRAW]

    def call(self, kernel):
        state = self._present(kernel)
        factor = random.signed_magnitudes(
            kernel.shape, state[_SEED], state[_DRAW], self.flip_probability
        )
        return self.scaled(sign(kernel) * ops.cast(factor, kernel.dtype))

    def catch_up(self, kernel):
        # In a graph the assignment also keeps later redraws from overtaking `call`.
        self._state.assign(self._present(kernel))

    def redraw(self, kernel, updates=1):
        state = ops.convert_to_tensor(self._state)
        # Without an update W is still the one that was looked at.
        known = ops.where(ops.equal(updates, 0), state[_FINGERPRINT], 0)
        self._state.assign(_after(state, updates, known))

    def _present(self, kernel):
        """The state, with a redraw if W has changed since the last gradient."""
        state = ops.convert_to_tensor(self._state)
        if redrawn:
            return _after(state, 0, 0)
        fingerprint = random.fingerprint(kernel)
        known = state[_FINGERPRINT]
        stale = ops.logical_and(known != 0, known != fingerprint)
        return _after(state, stale, fingerprint)


def _after(state, draws, fingerprint):
    """The state after a number of redraws, with a new fingerprint."""
    draw = state[_DRAW] + ops.cast(draws, "int32")
    return ops.stack([state[_SEED], draw, ops.cast(fingerprint, "int32")])
