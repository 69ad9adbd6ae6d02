from typing import Any

from keras import ops

from keras_asymbp import random
from keras_asymbp._numbers import check_number
from keras_asymbp.feedbacks.fixed_random import FixedRandom
from keras_asymbp.gradients import mirrored

_SEED, _DRAW = range(2)


class WeightMirror(FixedRandom):
    """Weight mirror: V learns W from the layer's responses to noise.

    In a mirror phase noise Xi, of mean 0 and variance 1, replaces the layer's inputs X.
    Each step moves V towards the correlation of the noise with the response
    `Y = product(Xi, W)`, taken before bias and activation:

        V(t+1) = (1 - rate) V(t) + rate Xi^T Y / n

    where n is the number of products that each weight is part of: for a Dense layer,
    the batch size. On average `Xi^T Y / n` is W, although no weight is copied from W to
    V. Larger batches and smaller rates reduce the fluctuation.

    `MirrorFeedback` runs the phases in `fit`, `mirror_feedback(model)` in a loop of
    your own. Without them V keeps its initial `N(0, stddev^2)`, and this rule is
    `RndF`.

    Args:
        rate (float): Share of each new estimate in V, in (0, 1].
        stddev (float): The standard deviation of V at the start, 0 or more.
        seed (int | None): Integer in [0, 2^31), or None for one that follows
            `keras.utils.set_random_seed`.

    Raises:
        ValueError: If `rate`, `stddev` or `seed` is out of range.

    Alias: `"WM"`. Source: Akrout et al., "Deep Learning without Weight Transport",
    2019, section 3. In the paper the response passes the activation, whose derivative
    scales what V learns; here the response is linear.

    >>> import keras
    >>> import keras_asymbp
    >>> keras.utils.set_random_seed(0)
    >>> layer = keras_asymbp.AsymDense(5, feedback="WM")
    >>> model = keras.Sequential([keras.Input((10,)), layer])
    >>> keras_asymbp.mirror_feedback(model, steps=200)
    >>> keras_asymbp.metrics.angle(layer.kernel, layer.feedback_kernel) < 10
    True
    """

    alias = "WM"

    def __init__(
        self,
        rate: float = 0.02,
        stddev: float = 0.05,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(stddev=stddev, seed=seed, **kwargs)
        check_number("rate", rate, most=1, is_open=True)
        self.rate = float(rate)

    def build(self, kernel_shape):
        self._state = self.add_weight(
            name="state",
            shape=(2,),
            dtype="int32",
            # Draw 0 of the seed is V's initial value.
            initializer=lambda shape, dtype: ops.array([self._first_seed, 1], dtype),
            trainable=False,
        )
        super().build(kernel_shape)

    @property
    def steps(self):
        """Number of mirror steps so far, an integer."""
        return int(self._state[_DRAW]) - 1

    def mirror(self, product, inputs, kernel):
        state = ops.convert_to_tensor(self._state)
        noise = random.noise(ops.shape(inputs), state[_SEED], state[_DRAW])
        dtype = self._weights.dtype
        estimate = mirrored(product, ops.cast(noise, dtype), ops.cast(kernel, dtype))
        self._weights.assign_add(self.rate * (estimate - self._weights))
        self._state.assign(state + ops.array([0, 1], "int32"))

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}
