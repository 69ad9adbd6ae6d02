"""The paper's batch normalization."""

import operator
from typing import Any

import keras
from keras import ops

from keras_asymbp._arguments import LAYER, describe
from keras_asymbp._numbers import check_number


@keras.saving.register_keras_serializable("keras_asymbp")
class BatchNormalization(keras.layers.Layer):
    """Batch normalization with averaged standard deviations.

    `Y = (X - mean) / stddev`, in training with the batch's mean and standard deviation,
    in testing with their exponential moving averages. It differs from
    `keras.layers.BatchNormalization` in two ways: standard deviations are averaged, not
    variances, and the learnable gain and offset are off by default.

    Every forward pass with `training=True` updates the averages. The paper recomputes
    them after each epoch; the `BatchStatistics` callback does so before each
    evaluation, so `fit` needs `validation_data`.

    A frozen layer (`trainable=False`, its own or its model's) runs in inference mode,
    as in Keras: it normalizes by the averages, and they stay. As in Keras, a change of
    `trainable` takes effect in `fit` when the model is compiled again.

    Args:
        learnable (bool): Whether to learn a gain and an offset, as only the paper's
            columns `BN` and `BN+BM` do. Their shape is that of the averages.
        per (str): `"channel"` for one mean and standard deviation per channel, or
            `"element"` for one per element of a sample.
        alpha (float): The newest batch's share of the moving averages, in (0, 1].
        epsilon (float): Added to the variance, to avoid division by zero for constant
            inputs; 0 or more.
        axis (int): The axis of the channels, an integer; 1 after a convolution with
            `data_format="channels_first"`. With `per="element"` it makes no difference.
        batch_statistics_when_frozen (bool): Whether a frozen layer normalizes by the
            batch in training and updates the averages all the same. Its gain and offset
            are frozen either way.
        trainable (bool): Whether gain and offset are trained and the averages move.

    Call arguments:
        inputs (tensor): A tensor of any rank; the first axis is the batch's.
        training (bool): Whether to normalize by the batch and update the averages.
        mask (tensor | None): True where inputs count in the batch's statistics, of the
            shape of the inputs without the last axis; None if all count. Outputs have
            the same mask, and masked inputs are normalized as the others are. A channel
            or element without an unmasked input is normalized by its averages, which
            stay.

    Raises:
        ValueError: If `per`, `alpha`, `epsilon` or `axis` isn't one of these, if the
            inputs have no such axis or an unknown size where the averages need it, or
            if the mask has another rank.

    >>> import keras
    >>> import keras_asymbp
    >>> import numpy as np
    >>> norm = keras_asymbp.BatchNormalization(epsilon=0.0)
    >>> np.ravel(norm(np.array([[1.0], [3.0]]), training=True)).tolist()
    [-1.0, 1.0]

    Source: "Batch Normalization", section 3, and "Training Details", section 5, Liao
    et al. 2016; Ioffe and Szegedy 2015.
    """

    def __init__(
        self,
        learnable: bool = False,
        per: str = "channel",
        alpha: float = 0.05,
        epsilon: float = 1e-5,
        axis: int = -1,
        batch_statistics_when_frozen: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if per not in ("channel", "element"):
            raise ValueError(
                f"Argument `per` must be 'channel' or 'element'. Received: per={per!r}"
            )
        check_number("alpha", alpha, most=1, is_open=True)
        check_number("epsilon", epsilon)
        try:
            axis = operator.index(axis)
        except TypeError:
            raise ValueError(
                "Argument `axis` must be one integer, the axis of the channels. "
                f"Received: axis={axis!r}"
            ) from None
        self.learnable = learnable
        self.per = per
        self.alpha = float(alpha)
        self.epsilon = float(epsilon)
        self.axis = axis
        self.batch_statistics_when_frozen = batch_statistics_when_frozen
        self.supports_masking = True

    @property
    def uses_batch_statistics(self):
        """Whether training normalizes by the batch and updates the averages."""
        return self.trainable or self.batch_statistics_when_frozen

    def build(self, input_shape):
        self._check_axis(input_shape)
        rank = len(input_shape)
        kept = range(1, rank) if self.per == "element" else (self.axis % rank,)
        if any(input_shape[axis] is None for axis in kept):
            raise ValueError(
                f"Layer '{self.name}' keeps averages per {self.per}, so axes "
                f"{list(kept)} of its inputs must have known sizes. Received: "
                f"input_shape={tuple(input_shape)}. Give the sizes in `keras.Input`, "
                "or choose another `axis` or `per`."
            )
        self.input_spec = keras.layers.InputSpec(
            ndim=rank, axes={axis: input_shape[axis] for axis in kept}
        )
        self._axes = tuple(axis for axis in range(rank) if axis not in kept)
        shape = tuple(
            1 if axis in self._axes else size for axis, size in enumerate(input_shape)
        )
        self.moving_mean = self._statistic("moving_mean", shape, "zeros")
        self.moving_stddev = self._statistic("moving_stddev", shape, "ones")
        # The newest batch's share: 1 when averages restart, otherwise alpha.
        self.rate = self._statistic("rate", (), keras.initializers.Constant(self.alpha))
        if self.learnable:
            self.gain = self.add_weight(
                name="gain", shape=shape, initializer="ones", autocast=False
            )
            self.offset = self.add_weight(
                name="offset", shape=shape, initializer="zeros", autocast=False
            )

    def _check_axis(self, input_shape):
        rank = len(input_shape)
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"Argument `axis` of layer '{self.name}' must be an axis of its "
                f"inputs, which have rank {rank}. Received: axis={self.axis}, "
                f"input_shape={tuple(input_shape)}"
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

    def call(self, inputs, training=False, mask=None):
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            raise ValueError(
                f"The mask of layer '{self.name}' must have the shape of the inputs "
                f"without the last axis. Received: mask.shape={tuple(mask.shape)}, "
                f"inputs.shape={tuple(inputs.shape)}"
            )
        # Half precision is too coarse for moments.
        dtype = keras.backend.result_type(inputs.dtype, self.variable_dtype, "float32")
        x = ops.cast(inputs, dtype)
        mean = ops.cast(self.moving_mean, dtype)
        stddev = ops.cast(self.moving_stddev, dtype)
        if training and self.uses_batch_statistics:
            averages = mean, stddev
            mean, stddev = self._of_batch(x, mask, *averages)
            rate = ops.cast(self.rate, dtype)
            for variable, average, newest in zip(
                (self.moving_mean, self.moving_stddev),
                averages,
                (mean, stddev),
                strict=True,
            ):
                variable.assign(average + rate * (newest - average))
        outputs = (x - mean) / stddev
        if self.learnable:
            gain, offset = ops.cast(self.gain, dtype), ops.cast(self.offset, dtype)
            outputs = outputs * gain + offset
        return ops.cast(outputs, self.compute_dtype)

    def _of_batch(self, x, mask, moving_mean, moving_stddev):
        """Returns a batch's mean and standard deviation, over unmasked inputs."""
        if mask is None:
            mean, variance = ops.moments(x, self._axes, keepdims=True)
            return mean, ops.sqrt(variance + self.epsilon)
        mask = ops.expand_dims(ops.cast(mask, "bool"), -1)
        mask = ops.broadcast_to(mask, ops.shape(x))

        def total(values):
            return ops.sum(values, self._axes, keepdims=True)

        count = total(ops.cast(mask, x.dtype))
        seen = count > 0
        count = ops.maximum(count, 1)
        mean = total(ops.where(mask, x, 0)) / count
        variance = total(ops.square(ops.where(mask, x - mean, 0))) / count
        return (
            ops.where(seen, mean, moving_mean),
            ops.where(seen, ops.sqrt(variance + self.epsilon), moving_stddev),
        )

    def load_own_variables(self, store):
        super().load_own_variables(store)
        # The file has the alpha of the model that was saved.
        self.rate.assign(self.alpha)

    def compute_output_shape(self, input_shape):
        self._check_axis(input_shape)
        return input_shape

    def get_config(self):
        config = super().get_config()
        config.update(
            learnable=self.learnable,
            per=self.per,
            alpha=self.alpha,
            epsilon=self.epsilon,
            axis=self.axis,
            batch_statistics_when_frozen=self.batch_statistics_when_frozen,
        )
        return config


describe(BatchNormalization, LAYER)
