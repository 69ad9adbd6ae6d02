"""The random numbers of rules: stateless, a function of a seed and a draw's number.

The bits are those of the generator Philox, the same on TensorFlow and JAX, on CPU and
GPU, eagerly, in a graph and under XLA; those of `keras.random` are not.
"""

import math
import threading

import numpy as np
from keras import ops
from keras.src.backend.common import global_state
from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED

from keras_asymbp import backend
from keras_asymbp._numbers import is_count

# The streams of one draw, so that M and S_p are independent of each other.
_MAGNITUDE, _FLIP = range(2)
_STREAMS = 2


def resolve_seed(seed: int | None) -> int:
    """Returns `seed`, or if it is None a new one that follows Keras's global seed.

    New seeds are the numbers that NumPy's global generator would give next, which
    `keras.utils.set_random_seed` seeds. They are read from a copy: the generator stays
    as it is, so rules change neither the user's data nor the first weights.

    Raises:
        ValueError: If `seed` is not None or an integer in [0, 2^31).
    """
    if seed is None:
        return _seeds.next()
    if not is_count(seed, 0) or seed >= 2**31:
        raise ValueError(
            "Argument `seed` must be None or an integer in [0, 2**31). "
            f"Received: seed={seed!r}"
        )
    return int(seed)


class _Noted(int):
    """Keras's global seed, noted: a new call of `set_random_seed` replaces it."""


class _Seeds:
    """The numbers that NumPy's global generator would give next, each only once."""

    def __init__(self):
        self._lock = threading.Lock()
        self._ahead = np.random.RandomState()
        self._start = None  # the state of NumPy's generator that `_ahead` began with
        self._given: set[int] = set()

    def next(self):
        with self._lock:
            if self._is_seeded_anew():
                self._start, self._given = None, set()
            state = np.random.get_state()
            if not _same(state, self._start):
                self._start = state
                self._ahead.set_state(state)
            # The user's draws move the generator on to numbers that were given before.
            seed = self._read()
            while seed in self._given:
                seed = self._read()
            self._given.add(seed)
            return seed

    def _read(self):
        return int(self._ahead.randint(2**31, dtype=np.int64))

    def _is_seeded_anew(self):
        # Keras has no public name for its seed.
        seed = global_state.get_global_attribute(GLOBAL_RANDOM_SEED)
        if seed is None or isinstance(seed, _Noted):
            return False
        global_state.set_global_attribute(GLOBAL_RANDOM_SEED, _Noted(seed))
        return True


def _same(state, other):
    return other is not None and all(map(np.array_equal, state, other))


_seeds = _Seeds()


def derive_seed(seed: int, number: int) -> int:
    """Returns the seed of stream `number` of `seed`."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0]) // 2


def normal(shape, seed, stddev):
    """Draws N(0, stddev^2), float32, of `shape`, for the `build` of a layer."""
    return ops.convert_to_tensor((stddev * _normal(shape, seed)).astype("float32"))


def orthonormal(shape, seed):
    """Draws a matrix with orthonormal columns, float32, for the `build` of a layer.

    It is uniform among these: the factor Q of a normal matrix whose factor R has a
    positive diagonal. Source: Mezzadri, "How to generate random matrices from the
    classical compact groups", 2007.
    """
    q, r = np.linalg.qr(_normal(shape, seed))
    return ops.convert_to_tensor((q * np.sign(np.diag(r))).astype("float32"))


def _normal(shape, seed):
    """Draws N(0, 1), float64, a NumPy array of `shape`.

    They are computed on the host, in float64: logarithms and sines differ between
    backends. Source: Box and Muller (1958), as `tf.random.stateless_normal` has it.
    """
    size = math.prod(shape)
    with backend.eagerly():
        bits = backend.random_bits((-(-size // 2), 2), seed, _MAGNITUDE)
    # The lower 23 bits are the fraction of a number in [1, 2).
    u1, u2 = ((np.asarray(bits) & 0x7FFFFF) * 2.0**-23).T
    radius = np.sqrt(-2 * np.log(np.maximum(u1, 1e-7)))
    angle = 2 * np.pi * u2
    pairs = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    return pairs.ravel()[:size].reshape(shape)


def signed_magnitudes(shape, seed, draw, flip_probability):
    """Draws M o S_p, float32, of `shape`: draw number `draw` from `seed`.

    M is uniform in [0, 1); an element of S_p is -1 with probability
    `flip_probability` and 1 otherwise (settings 4 and 5, section 2). Each has 16 random
    bits: M is one of the 2^16 middles of equal parts of [0, 1), so its mean is 1/2 and
    it is never 0; the probability is rounded to a multiple of 2^-16.
    """
    bits = backend.random_halves(shape, seed, draw * _STREAMS + _MAGNITUDE)
    # Exact in float32, so that XLA, which rounds in its own way, has nothing to round.
    magnitudes = (ops.cast(bits, "float32") + 0.5) * 2.0**-16
    share = round(flip_probability * 2**16)
    if share == 0:
        return magnitudes
    bits = backend.random_halves(shape, seed, draw * _STREAMS + _FLIP)
    flips = ops.cast(bits, "float32") < share
    return ops.where(flips, -magnitudes, magnitudes)


def noise(shape, seed, draw):
    """Draws noise of mean 0 and variance 1, float32, of `shape`: draw number `draw`.

    It is uniform in [-sqrt(3), sqrt(3)), with 24 random bits.
    """
    bits = backend.random_bits(shape, seed, draw * _STREAMS + _MAGNITUDE)
    # The generator's bits are the same everywhere; XLA's conversion to floats differs.
    uniform = ops.cast(ops.right_shift(bits, 8), "float32") * 2.0**-24
    return 3**0.5 * (2 * uniform - 1)


def fingerprint(values):
    """Returns a number in [1, 2^31), int32, that changes with the bits of `values`.

    With the 32-bit words x_i of all values, it is half of

        sum_i (x_i xor (x_i >> 16)) (2 i + 1) 0x9E3779B1   modulo 2^32

    Elements are weighted by position, so that updates of equal size and opposite sign,
    such as Batch Manhattan's, don't cancel.
    """
    return backend.fingerprint(values)
