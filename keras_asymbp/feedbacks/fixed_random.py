from typing import Any

from keras import ops

from keras_asymbp import random
from keras_asymbp._numbers import check_number
from keras_asymbp.feedbacks.base import Feedback


class FixedRandom(Feedback):
    """Fixed random feedback: `V ~ N(0, stddev^2)`, drawn once, independent of W.

    Args:
        stddev (float): The standard deviation, 0 or more.
        seed (int | None): Integer in [0, 2^31), or None for one that follows
            `keras.utils.set_random_seed`.

    Raises:
        ValueError: If `stddev` or `seed` is out of range.

    Alias: `"RndF"`. Source: setting 6, section 2, Liao et al. 2016; the rule of
    Lillicrap et al. 2014.

    >>> import keras_asymbp
    >>> import numpy as np
    >>> layer = keras_asymbp.AsymDense(400, feedback="RndF")
    >>> layer.build((None, 400))
    >>> round(float(np.std(layer.feedback_kernel)), 2)
    0.05
    """

    alias = "RndF"

    def __init__(
        self, stddev: float = 0.05, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        check_number("stddev", stddev)
        self.stddev = float(stddev)
        self._first_seed = random.resolve_seed(seed)
        self.seed = None if seed is None else self._first_seed

    def build(self, kernel_shape):
        self._weights = self.add_weight(
            name="weights",
            shape=kernel_shape,
            initializer=self._initial,
            regularizer=self.regularizer if self.trained else None,
            constraint=self.constraint if self.trained else None,
            trainable=self.trained,
            aggregation="none" if self.trained else "only_first_replica",
        )
        super().build(kernel_shape)

    def _initial(self, shape, dtype):
        return ops.cast(random.normal(shape, self._first_seed, self.stddev), dtype)

    def call(self, kernel):
        return self._weights

    def get_config(self):
        config = super().get_config()
        config.update(stddev=self.stddev, seed=self.seed)
        return config
