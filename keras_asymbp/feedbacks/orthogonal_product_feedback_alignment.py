from typing import Any

from keras_asymbp import random
from keras_asymbp.feedbacks.product_feedback_alignment import ProductFeedbackAlignment


class OrthogonalProductFeedbackAlignment(ProductFeedbackAlignment):
    """Product feedback alignment with an orthogonal B (PFA-o): V becomes W itself.

    As `ProductFeedbackAlignment`, with a random B whose columns are orthonormal, so
    that `B^T B` is I and not only its mean: `V = R B` becomes `W B^T B = W`, without
    more neurons on the path than the layer has outputs. R, which then has W's shape,
    becomes `W B^T`, W in a random basis.

    Args:
        expansion (int): Neurons between B and R for each output, 1 or more; the paper
            has 1.
        stddev (float): The standard deviation of V at the start, 0 or more.
        seed (int | None): Integer in [0, 2^31), or None for one that follows
            `keras.utils.set_random_seed`.

    Raises:
        ValueError: As for `ProductFeedbackAlignment`.

    Alias: `"PFA-o"`. Source: Li and Benna, "Deep Learning without Weight Symmetry",
    2024. An expansion above 1 is ours.

    >>> import keras
    >>> import keras_asymbp
    >>> keras.utils.set_random_seed(0)
    >>> layer = keras_asymbp.AsymDense(5, feedback="PFA-o")
    >>> model = keras.Sequential([keras.Input((10,)), layer])
    >>> model.compile(keras.optimizers.SGD(0.1, weight_decay=2.0), "mse")
    >>> x, y = keras.random.normal((20, 10)), keras.random.normal((20, 5))
    >>> history = model.fit(x, y, epochs=40, verbose=0)
    >>> keras_asymbp.metrics.angle(layer.kernel, layer.feedback_kernel) < 1
    True
    """

    alias = "PFA-o"

    def __init__(
        self,
        expansion: int = 1,
        stddev: float = 0.05,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(expansion=expansion, stddev=stddev, seed=seed, **kwargs)

    def _draw_projection(self, shape, seed):
        return random.orthonormal(shape, seed)
