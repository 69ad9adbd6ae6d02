from typing import Any

from keras import ops

from keras_asymbp import random
from keras_asymbp._numbers import check_count, check_number
from keras_asymbp.feedbacks.base import from_matrix, to_matrix
from keras_asymbp.feedbacks.fixed_random import FixedRandom

# Elements of the state vector. The fingerprint is that of W at the last gradient; 0
# before the first.
_SEED, _DRAW, _FINGERPRINT = range(3)


class PhaselessAlignment(FixedRandom):
    """Phaseless alignment learning (PAL): V learns W from noise, at each update of W.

    Neurons are noisy, and what a neuron sends up carries the noise of the neurons
    below. V learns from the correlation, and decays, while W is trained:

        V(t+1) = (1 - rate) V(t) + rate Xi^T (Xi W(t)) / samples

    Xi, of mean 0 and variance 1, is the noise of a layer's inputs, a row for each
    sample, and Xi W that part of the response which a high-pass filter passes. On
    average the second term is W, although no weight is copied from W to V. Unlike the
    weight mirror (`"WM"`), it needs no phase without training, and so no callback: the
    first gradient after an update of W is a step of V. `evaluate`, `predict` and
    frozen layers don't learn.

    At a constant W the angle to it falls to about that whose tangent is sqrt(inputs x
    rate / (2 samples)), with the inputs of one filter: a smaller rate or more samples
    reduce the fluctuation, and V follows W in 1 / rate updates.

    Args:
        rate (float): Share of each new estimate in V, in (0, 1].
        samples (int): Samples of noise for each update, 1 or more.
        stddev (float): The standard deviation of V at the start, 0 or more.
        seed (int | None): Integer in [0, 2^31), or None for one that follows
            `keras.utils.set_random_seed`.

    Raises:
        ValueError: If `rate`, `samples`, `stddev` or `seed` is out of range.

    Alias: `"PAL"`. Source: Max et al., "Learning efficient backprojections across
    cortical hierarchies in real time", 2024. The rule of V, noise times filtered
    response with a decay, is that of the paper, where neurons have dynamics in
    continuous time. Ours are its limits in layers without time: noise so small that
    neither outputs nor errors show it (its size cancels), a filter that passes no
    signal, one step for each update, and a response before the activation. In a
    convolution a sample is a patch; in a depthwise one it has all channels.

    >>> import keras
    >>> import keras_asymbp
    >>> keras.utils.set_random_seed(0)
    >>> layer = keras_asymbp.AsymDense(5, feedback="PAL")
    >>> model = keras.Sequential([keras.Input((10,)), layer])
    >>> model.compile("sgd", "mse")
    >>> x, y = keras.random.normal((200, 10)), keras.random.normal((200, 5))
    >>> history = model.fit(x, y, batch_size=1, verbose=0)
    >>> keras_asymbp.metrics.angle(layer.kernel, layer.feedback_kernel) < 10
    True
    """

    alias = "PAL"

    def __init__(
        self,
        rate: float = 0.02,
        samples: int = 100,
        stddev: float = 0.05,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(stddev=stddev, seed=seed, **kwargs)
        check_number("rate", rate, most=1, is_open=True)
        check_count("samples", samples)
        self.rate = float(rate)
        self.samples = int(samples)

    def build(self, kernel_shape):
        self._state = self.add_weight(
            name="state",
            shape=(3,),
            dtype="int32",
            # Draw 0 of the seed is V's initial value.
            initializer=lambda shape, dtype: ops.array([self._first_seed, 1, 0], dtype),
            trainable=False,
            aggregation="only_first_replica",
        )
        super().build(kernel_shape)

    @property
    def steps(self):
        """Number of steps of V so far, an integer."""
        return int(self._state[_DRAW]) - 1

    def call(self, kernel):
        return self._present(kernel)[0]

    def catch_up(self, kernel):
        v, state = self._present(kernel)
        self._weights.assign(v)
        self._state.assign(state)

    def _present(self, kernel):
        """V and the state of a gradient at a kernel: a step later if W was updated."""
        v, state = (ops.convert_to_tensor(x) for x in (self._weights, self._state))
        fingerprint, known = random.fingerprint(kernel), state[_FINGERPRINT]
        updated = ops.logical_and(known != 0, known != fingerprint)
        estimate = self._estimate(ops.cast(kernel, v.dtype), state)
        draw = state[_DRAW] + ops.cast(updated, "int32")
        return (
            ops.where(updated, v + self.rate * (estimate - v), v),
            ops.stack([state[_SEED], draw, fingerprint]),
        )

    def _estimate(self, kernel, state):
        """Xi^T (Xi W) / samples, of the kernel's shape."""
        weights = to_matrix(kernel, self.output_axes)
        shape = self.samples, weights.shape[0]
        noise = random.noise(shape, state[_SEED], state[_DRAW])
        noise = ops.cast(noise, weights.dtype)
        response = ops.matmul(noise, weights)
        estimate = ops.matmul(ops.transpose(noise), response) / self.samples
        return from_matrix(estimate, kernel.shape, self.output_axes)

    def get_config(self):
        own = {"rate": self.rate, "samples": self.samples}
        return {**super().get_config(), **own}
