from keras import ops

from keras_asymbp import random
from keras_asymbp.feedbacks.fixed_random import FixedRandom
from keras_asymbp.gradients import mirrored

_SEED, _DRAW = range(2)


class WeightMirror(FixedRandom):
    """Weight mirror: V learns W from the layer's responses to noise.

    In a mirror phase the layer is given noise Xi, of mean 0 and variance 1, in the
    place of its inputs X; with its response `Y = product(Xi, W)`, before bias and
    activation, each step moves V to what noise and response have in common:

        V(t+1) = (1 - rate) V(t) + rate Xi^T Y / n

    where n is the number of products that a weight takes part in, the batch's size for
    a Dense layer. On average `Xi^T Y / n` is W, and nothing is carried from W to V. The
    fluctuation is smaller the larger the batch and the smaller the rate.

    `MirrorFeedback` runs the phases in `fit`, `mirror_feedback(model)` in a loop of
    your own. Without them V stays at its start, `N(0, stddev^2)`, and this rule is
    `RndF`.

    Args:
        rate: How fast V follows, in (0, 1].
        stddev: The standard deviation of V at the start, 0 or more.
        seed: Integer in [0, 2^31), or None for one that follows
            `keras.utils.set_random_seed`.

    Raises:
        ValueError: If `rate`, `stddev` or `seed` is out of range.

    Alias: `"WM"`. Source: Akrout et al., "Deep Learning without Weight Transport",
    2019, section 3. The paper lets the response go through the activation, whose
    derivative scales what V learns; here the response is linear.

    >>> import keras
    >>> import keras_asymbp
    >>> layer = keras_asymbp.AsymDense(5, feedback="WM")
    >>> model = keras.Sequential([keras.Input((10,)), layer])
    >>> keras_asymbp.mirror_feedback(model, steps=200)
    >>> keras_asymbp.metrics.angle(layer.kernel, layer.feedback_kernel) < 10
    True
    """

    alias = "WM"

    def __init__(self, rate=0.02, stddev=0.05, seed=None, **kwargs):
        super().__init__(stddev=stddev, seed=seed, **kwargs)
        if not 0 < rate <= 1:
            raise ValueError(
                f"Argument `rate` must be in the range (0, 1]. Received: rate={rate}"
            )
        self.rate = float(rate)

    def build(self, kernel_shape):
        self._state = self.add_weight(
            name="state",
            shape=(2,),
            dtype="int64",
            # V's own numbers are draw 0 of the seed.
            initializer=lambda shape, dtype: ops.array([self._first_seed, 1], dtype),
            trainable=False,
        )
        super().build(kernel_shape)

    def mirror(self, product, inputs, kernel):
        state = ops.convert_to_tensor(self._state)
        noise = random.noise(ops.shape(inputs), state[_SEED], state[_DRAW])
        dtype = self._weights.dtype
        estimate = mirrored(product, ops.cast(noise, dtype), ops.cast(kernel, dtype))
        self._weights.assign_add(self.rate * (estimate - self._weights))
        self._state.assign(state + ops.array([0, 1], "int64"))

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}
