from typing import Any

from keras import ops

from keras_asymbp import random
from keras_asymbp._numbers import check_count
from keras_asymbp.feedbacks.base import from_matrix, matrix_shape
from keras_asymbp.feedbacks.fixed_random import FixedRandom


class ProductFeedbackAlignment(FixedRandom):
    """Product feedback alignment (PFA): V is a path of two matrices, R and B.

    The error e of the layer's outputs passes a population of its own on the way to the
    inputs X, first through B, fixed and random, then through R, which learns:

        dE/dX = (e B^T) R^T,   that is,   V = R B
        dE/dR = X^T (e B^T) = dE/dW B^T,   E[B^T B] = I

    An update U of W changes R by `U B^T`. With a decay of rate d of both, each step
    multiplies R - W B^T by 1 - d: R becomes `W B^T` and V becomes `W B^T B`. Its angle
    to W, which the paper calls path alignment, falls to arctan(sqrt(1 / expansion)) on
    average, 18 degrees for 10. Neither R nor B becomes W: no neuron receives feedback
    through a copy of the weight that it sends forward.

    R is trained: it is among a model's `trainable_variables`. **You must add the
    decay**: the optimizer's `weight_decay`, or an L2 `kernel_regularizer`, which R
    shares. R follows W exactly if the update is linear in the gradient, as that of SGD
    with momentum; Adam and `BatchManhattan` (settings 1 to 3) scale each element of W
    and of R by itself, and the angle stays larger.

    Args:
        expansion (int): Neurons between B and R for each output, 1 or more. R and B
            have `expansion` times as many elements as W and as a square matrix of the
            outputs.
        stddev (float): The standard deviation of V at the start, 0 or more; that of R.
        seed (int | None): Integer in [0, 2^31), or None for one that follows
            `keras.utils.set_random_seed`.

    Raises:
        ValueError: If `expansion`, `stddev` or `seed` is out of range, or the layer has
            a `kernel_constraint`: it holds for W, not for a product.

    Alias: `"PFA"`. Source: Li and Benna, "Deep Learning without Weight Symmetry", 2024.
    The equations, the variance of B and the expansion of 10 are those of the paper and
    its code; there elements of B and R are uniform, R by Glorot's initializer, and here
    normal. In a convolution B connects channels, at each place alike. In a convolution
    with groups B mixes the outputs of all groups, and V has W's connections only.

    >>> import keras
    >>> import keras_asymbp
    >>> keras.utils.set_random_seed(0)
    >>> layer = keras_asymbp.AsymDense(5, feedback="PFA")
    >>> model = keras.Sequential([keras.Input((10,)), layer])
    >>> model.compile(keras.optimizers.SGD(0.1, weight_decay=2.0), "mse")
    >>> x, y = keras.random.normal((20, 10)), keras.random.normal((20, 5))
    >>> history = model.fit(x, y, epochs=40, verbose=0)
    >>> keras_asymbp.metrics.angle(layer.kernel, layer.feedback_kernel) < 30
    True
    """

    alias = "PFA"
    trained = True

    def __init__(
        self,
        expansion: int = 10,
        stddev: float = 0.05,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(stddev=stddev, seed=seed, **kwargs)
        check_count("expansion", expansion)
        self.expansion = int(expansion)

    def build(self, kernel_shape):
        if self.constraint is not None:
            raise ValueError(
                f"{type(self).__name__} does not support a `kernel_constraint`: V is a "
                "product, and constraining one factor does not constrain V. Expected: "
                f"None. Received: {type(self.constraint).__name__}. Leave out "
                "`kernel_constraint`, or use the rule 'KP', whose V has the constraint "
                "of W."
            )
        self._kernel_shape = kernel_shape
        inputs, outputs = matrix_shape(kernel_shape, self.output_axes)
        path = self.expansion * outputs
        self._projection = self.add_weight(
            name="projection",
            shape=(path, outputs),
            initializer=lambda shape, dtype: ops.cast(
                self._draw_projection(shape, random.derive_seed(self._first_seed, 1)),
                dtype,
            ),
            trainable=False,
        )
        super().build((inputs, path))

    def _draw_projection(self, shape, seed):
        """Draws B, of shape (path, outputs)."""
        return random.normal(shape, seed, shape[0] ** -0.5)

    def call(self, kernel):
        product = ops.matmul(self._weights, self._projection)
        return from_matrix(product, self._kernel_shape, self.output_axes)

    def get_config(self):
        return {**super().get_config(), "expansion": self.expansion}
