from typing import Any

from keras_asymbp import random
from keras_asymbp._numbers import check_number
from keras_asymbp.feedbacks.sign_concordant import SignConcordant


class RandomSignConcordant(SignConcordant):
    """Base of the rules `V = M o sign(W) o S_p`: p and a seed.

    Args:
        flip_probability (float): p, in [0, 1]: the probability that a feedback weight
            has the opposite sign of its forward weight.
        seed (int | None): Integer in [0, 2^31), or None for one that follows
            `keras.utils.set_random_seed`.
        scale (str | float | None): Factor of V. None: 1, as in the paper. `"fan_in"`: 1
            / (inputs of one filter). `"init_std"`: the standard deviation of He's
            initializer by outputs, sqrt(2 / (width x height x output channels)), as in
            Xiao et al. 2018. Or a number above 0.

    Raises:
        ValueError: If `flip_probability` or `seed` is out of range, or `scale` isn't
            one of these.
    """

    def __init__(
        self,
        flip_probability: float = 0.0,
        seed: int | None = None,
        scale: float | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scale=scale, **kwargs)
        check_number("flip_probability", flip_probability, most=1)
        self.flip_probability = float(flip_probability)
        self._first_seed = random.resolve_seed(seed)
        self.seed = None if seed is None else self._first_seed

    def get_config(self):
        config = super().get_config()
        config.update(flip_probability=self.flip_probability, seed=self.seed)
        return config
