from keras_asymbp import random
from keras_asymbp.feedbacks.base import Feedback


class RandomSignConcordant(Feedback):
    """What the rules `V = M o sign(W) o S_p` share: p and a seed.

    Args:
        flip_probability: p, in [0, 1]: the probability that a feedback weight has
            the other sign than its forward weight.
        seed: Integer in [0, 2^31), or None for one that follows
            `keras.utils.set_random_seed`.

    Raises:
        ValueError: If `flip_probability` or `seed` is out of range.
    """

    def __init__(self, flip_probability=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= flip_probability <= 1:
            raise ValueError(
                "Argument `flip_probability` must be in the range [0, 1]. "
                f"Received: flip_probability={flip_probability}"
            )
        self.flip_probability = float(flip_probability)
        self.seed = seed
        self._first_seed = random.resolve_seed(seed)

    def get_config(self):
        config = super().get_config()
        config.update(flip_probability=self.flip_probability, seed=self.seed)
        return config
