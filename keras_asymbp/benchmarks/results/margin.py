"""The margin: the smallest difference between two errors that counts as one.

The paper's margin is 3 points. Where errors are small it exceeds all differences: on
MNIST most of the paper's own models are within half a point. There a margin is a factor
of 1.5 between the odds of an error (on MNIST's 10,000 test images, 67 errors against
100), and likewise between the odds of a hit where nearly everything is an error.
Wherever both could apply, the smaller one does:

    g'(e) = max(1 / 0.03, 1 / (log(1.5) e (1 - e)))

`in_margins` is g, so a difference of g counts margins. It is linear between 8 and 92 %
and a logit outside.
"""

import math

POINTS = 3.0
FACTOR = 1.5

_LOG_FACTOR = math.log(FACTOR)
# The error, as a share, at which both margins are equal; by symmetry also 1 minus it.
_EQUAL = (1 - math.sqrt(1 - 4 * POINTS / 100 / _LOG_FACTOR)) / 2


def in_margins(share: float) -> float:
    """The scale g, 0 at one half.

    Args:
        share: An error in (0, 1).

    >>> round(in_margins(0.50) - in_margins(0.44), 6)
    2.0
    >>> round(in_margins(0.03) - in_margins(0.02), 2)
    1.03
    """
    if share > 0.5:
        return -in_margins(1 - share)
    linear = (max(share, _EQUAL) - 0.5) * 100 / POINTS
    if share >= _EQUAL:
        return linear
    return linear + (_logit(share) - _logit(_EQUAL)) / _LOG_FACTOR


def share_at(margins: float) -> float:
    """The inverse of `in_margins`.

    >>> round(share_at(in_margins(0.02)), 6)
    0.02
    """
    if margins > 0:
        return 1 - share_at(-margins)
    turn = in_margins(_EQUAL)
    if margins >= turn:
        return 0.5 + margins * POINTS / 100
    return 1 / (1 + math.exp(-_logit(_EQUAL) - (margins - turn) * _LOG_FACTOR))


def slope(share: float) -> float:
    """The number of margins in a difference of 1, the derivative of `in_margins`.

    >>> round(100 / slope(0.3), 2), round(100 / slope(0.02), 2)
    (3.0, 0.79)
    """
    return max(100 / POINTS, 1 / (_LOG_FACTOR * share * (1 - share)))


def _logit(share):
    return math.log(share / (1 - share))
