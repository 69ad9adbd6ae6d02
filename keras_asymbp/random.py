"""The random numbers of rules: stateless, a function of a seed and a draw's number.

The bits of `tf.random.stateless_*` with the Philox generator are the same on CPU and
GPU, eagerly, in a graph and under XLA; those of `keras.random` are not.
"""

import threading

import numpy as np
import tensorflow as tf
from keras.src.backend.common import global_state
from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED

# The streams of one draw, so that M and S_p are independent of each other.
_MAGNITUDE, _FLIP = range(2)
_STREAMS = 2

# Number of elements that a fingerprint reads at a time.
_PART = 2**17

# Keras's initializers use the same generator with seeds below 2^32. A layer's
# initializer and its rule may have the same seed, and M must not repeat W's numbers.
_BEYOND_KERAS = 2**32


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
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise ValueError(
            "Argument `seed` must be None or an integer in [0, 2**31). "
            f"Received: seed={seed!r}"
        )
    return seed


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
    """Draws N(0, stddev^2), float32, of `shape`.

    For a layer's `build` only, which is eager: XLA turns the bits into other numbers.
    """
    return tf.random.stateless_normal(
        shape, seed=_key(seed, 0, _MAGNITUDE), stddev=stddev, alg="philox"
    )


def signed_magnitudes(shape, seed, draw, flip_probability):
    """Draws M o S_p, float32, of `shape`: draw number `draw` from `seed`.

    M is uniform in [0, 1); an element of S_p is -1 with probability
    `flip_probability` and 1 otherwise (settings 4 and 5, section 2).
    """
    magnitudes = _uniform(shape, _key(seed, draw, _MAGNITUDE))
    if flip_probability == 0:
        return magnitudes
    flips = _uniform(shape, _key(seed, draw, _FLIP)) < flip_probability
    return tf.where(flips, -magnitudes, magnitudes)


def noise(shape, seed, draw):
    """Draws noise of mean 0 and variance 1, float32, of `shape`: draw number `draw`.

    It is uniform in [-sqrt(3), sqrt(3)).
    """
    return 3**0.5 * (2 * _uniform(shape, _key(seed, draw, _MAGNITUDE)) - 1)


def fingerprint(values):
    """Returns a number in [1, 2^61), int64, that changes with any bit of `values`.

    Elements are weighted by position, so that updates of equal size and opposite sign,
    such as Batch Manhattan's, don't cancel.
    """
    values = tf.convert_to_tensor(values)
    bits = {2: tf.int16, 4: tf.int32, 8: tf.int64}[values.dtype.size]
    bits = tf.reshape(tf.bitcast(values, bits), [-1])
    digest = tf.constant(0, tf.int64)
    # In parts: an int64 copy of all of W would be several times as large as W.
    for start in range(0, bits.shape[0], _PART):
        words = tf.cast(bits[start : start + _PART], tf.int64)
        positions = tf.range(start, start + words.shape[0], dtype=tf.int64)
        weights = (2 * positions + 1) * 0x9E3779B97F4A7C1  # int64 wraps around
        digest += tf.reduce_sum(words * weights)
    digest = tf.bitwise.right_shift(digest, 3)
    return tf.bitwise.bitwise_or(tf.bitwise.bitwise_and(digest, 2**61 - 1), 1)


def _key(seed, draw, stream):
    seed = tf.cast(seed, tf.int64) + _BEYOND_KERAS
    return tf.stack([seed, tf.cast(draw, tf.int64) * _STREAMS + stream])


def _uniform(shape, key):
    # The generator's bits are the same everywhere; XLA's conversion to floats differs.
    bits = tf.random.stateless_uniform(
        shape, seed=key, minval=None, maxval=None, dtype=tf.uint32, alg="philox"
    )
    return tf.cast(tf.bitwise.right_shift(bits, 8), tf.float32) * 2.0**-24
