"""The paper's batch normalization."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_asymbp")
class BatchNormalization(keras.layers.Layer):
    """Batch normalization with averaged standard deviations.

    `Y = (X - mean) / stddev`, in training with the batch's mean and standard deviation,
    in testing with their exponential moving averages. It differs from
    `keras.layers.BatchNormalization` in two ways: standard deviations are averaged, not
    variances, and the learnable gain and offset are off by default.

    Every forward pass with `training=True` updates the averages. The `BatchStatistics`
    callback recomputes them after each epoch, as the paper does.

    Args:
        learnable: Whether to learn a gain and an offset, as only the paper's columns
            `BN` and `BN+BM` do.
        per: `"channel"` for one mean and standard deviation per channel (the last
            axis), or `"element"` for one per element of a sample.
        alpha: The newest batch's share of the moving averages, in (0, 1].
        epsilon: Added to the variance, to avoid division by zero for constant inputs.

    Raises:
        ValueError: If `per` or `alpha` isn't one of these.

    >>> import keras
    >>> import keras_asymbp
    >>> norm = keras_asymbp.BatchNormalization(epsilon=0.0)
    >>> norm(keras.ops.array([[1.0], [3.0]]), training=True).numpy().ravel().tolist()
    [-1.0, 1.0]

    Source: "Batch Normalization", section 3, and "Training Details", section 5, Liao
    et al. 2016; Ioffe and Szegedy 2015.
    """

    def __init__(
        self, learnable=False, per="channel", alpha=0.05, epsilon=1e-5, **kwargs
    ):
        super().__init__(**kwargs)
        if per not in ("channel", "element"):
            raise ValueError(
                f"Argument `per` must be 'channel' or 'element'. Received: per={per!r}"
            )
        if not 0 < alpha <= 1:
            raise ValueError(
                "Argument `alpha` must be above 0 and at most 1. "
                f"Received: alpha={alpha}"
            )
        self.learnable = learnable
        self.per = per
        self.alpha = alpha
        self.epsilon = epsilon

    def build(self, input_shape):
        rank = len(input_shape)
        self._axes = (0,) if self.per == "element" else tuple(range(rank - 1))
        shape = tuple(
            1 if axis in self._axes else size for axis, size in enumerate(input_shape)
        )
        self.moving_mean = self._statistic("moving_mean", shape, "zeros")
        self.moving_stddev = self._statistic("moving_stddev", shape, "ones")
        # The newest batch's share: 1 when averages restart, otherwise alpha.
        self.rate = self._statistic("rate", (), keras.initializers.Constant(self.alpha))
        if self.learnable:
            self.gain = self.add_weight(name="gain", shape=shape, initializer="ones")
            self.offset = self.add_weight(
                name="offset", shape=shape, initializer="zeros"
            )

    def _statistic(self, name, shape, initializer):
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            trainable=False,
            autocast=False,
            aggregation="mean",
        )

    def call(self, inputs, training=False):
        # Half precision is too coarse for moments.
        x = ops.cast(inputs, self.variable_dtype)
        if training:
            mean, variance = ops.moments(x, self._axes, keepdims=True)
            stddev = ops.sqrt(variance + self.epsilon)
            for average, newest in (
                (self.moving_mean, mean),
                (self.moving_stddev, stddev),
            ):
                average.assign(average + self.rate * (newest - average))
        else:
            mean, stddev = self.moving_mean, self.moving_stddev
        outputs = (x - mean) / stddev
        if self.learnable:
            outputs = outputs * self.gain + self.offset
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = super().get_config()
        config.update(
            learnable=self.learnable,
            per=self.per,
            alpha=self.alpha,
            epsilon=self.epsilon,
        )
        return config
