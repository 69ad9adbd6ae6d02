"""Random numbers of training, drawn on the host: functions of a seed and a number.

The words are those of NumPy's bit generator Philox, which NumPy promises never to
change. So they are the same with every backend, on every processor; those of
`keras.random` and of `tf.data` are not.
"""

import enum

import numpy as np
from scipy import special


class Stream(enum.IntEnum):
    """What is drawn; streams of a seed are independent of each other."""

    ORDER = 0
    STATISTICS = 1
    SHIFTS = 2
    MIRRORED = 3
    WEIGHTS = 4


def words(count: int, stream: Stream, seed: int, number: int) -> np.ndarray:
    """Uniform 64-bit words, uint64 (count,).

    Args:
        count: How many.
        stream: What they are for.
        seed: The cell's seed.
        number: Number of the draw: an epoch or a kernel; 0 for the statistics.
    """
    entropy = np.random.SeedSequence((seed, stream, number))
    return np.random.Philox(entropy).random_raw(count)


def order(count: int, stream: Stream, seed: int, number: int) -> np.ndarray:
    """A random order of `count` examples: int64 positions."""
    return np.argsort(words(count, stream, seed, number), kind="stable")


def uniform(count: int, stream: Stream, seed: int, number: int) -> np.ndarray:
    """Uniform numbers in (0, 1), float64: odd multiples of 2^-54."""
    found = words(count, stream, seed, number) >> np.uint64(11)
    return (found.astype(np.float64) + 0.5) * 2.0**-53


def normal(
    count: int, stream: Stream, seed: int, number: int, cut: float = np.inf
) -> np.ndarray:
    """Numbers of N(0, 1), float64, those within `cut` of 0 only: by the inverse."""
    low, high = special.ndtr(-cut), special.ndtr(cut)
    return special.ndtri(low + (high - low) * uniform(count, stream, seed, number))
