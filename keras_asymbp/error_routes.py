"""The layers that `direct_feedback` adds to a model, to route the error."""

import math

import keras
from keras import ops

from keras_asymbp import random
from keras_asymbp._arguments import describe, name_only
from keras_asymbp._numbers import check_number
from keras_asymbp._switch import hidden
from keras_asymbp.gradients import direct, sigmoid_targets, softmax_targets, stopped

# What is sent, a function of outputs and error; None for the error.
SIGNALS = {
    "error": None,
    "softmax_target": softmax_targets,
    "sigmoid_target": sigmoid_targets,
}


@keras.saving.register_keras_serializable("keras_asymbp")
class DirectFeedback(keras.layers.Layer):
    """Returns its first input, whose error it also sends directly to the others.

    The backward pass is `keras_asymbp.gradients.direct`.

    Args:
        stddev (float): The standard deviation of the matrices, 0 or more.
        seed (int | None): Integer in [0, 2^31), or None for one that follows
            `keras.utils.set_random_seed`.
        signal (str): What it sends: `"error"`, or the targets that follow from the
            error of softmax or sigmoid and cross-entropy, `"softmax_target"` or
            `"sigmoid_target"`.

    Raises:
        ValueError: If `stddev` or `seed` is out of range, `signal` is unknown, or the
            layer is built with an unknown size.
    """

    def __init__(self, stddev=0.05, seed=None, signal="error", **kwargs):
        # No rounding: each error keeps the precision of its tensor.
        super().__init__(**{"autocast": False, **kwargs})
        check_number("stddev", stddev)
        if signal not in SIGNALS:
            raise ValueError(
                f"Argument `signal` must be one of {', '.join(map(repr, SIGNALS))}. "
                f"Received: signal={signal!r}"
            )
        self.stddev = float(stddev)
        self.signal = signal
        self._first_seed = random.resolve_seed(seed)
        self.seed = None if seed is None else self._first_seed
        self.supports_masking = True

    def build(self, input_shape):
        if any(None in shape[1:] for shape in input_shape):
            raise ValueError(
                "Direct feedback connects each element of the output with each element "
                "of a layer's input. Expected known sizes, except for the batch: give "
                "the model an Input of fixed size. Received: shapes "
                f"{', '.join(str(tuple(shape)) for shape in input_shape)}"
            )
        outputs, *inputs = (math.prod(shape[1:]) for shape in input_shape)
        self._matrices = [
            self.add_weight(
                name=f"matrix_{number}",
                shape=(outputs, size),
                initializer=lambda shape, dtype, number=number: ops.cast(
                    random.normal(
                        shape,
                        random.derive_seed(self._first_seed, number),
                        self.stddev,
                    ),
                    dtype,
                ),
                trainable=False,
            )
            for number, size in enumerate(inputs)
        ]

    def call(self, inputs):
        outputs, *others = inputs
        return direct(
            outputs,
            others,
            [ops.convert_to_tensor(b) for b in self._matrices],
            SIGNALS[self.signal],
        )

    @property
    def variables(self):
        return [] if hidden else super().variables

    def get_config(self):
        own = {"stddev": self.stddev, "seed": self.seed, "signal": self.signal}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("keras_asymbp")
class StopError(keras.layers.Layer):
    """Returns its input, and stops the error.

    `direct_feedback` adds one where the error would go on down.
    """

    def __init__(self, **kwargs):
        super().__init__(**{"autocast": False, **kwargs})
        self.supports_masking = True

    def call(self, inputs):
        return stopped(inputs)


for _layer in (DirectFeedback, StopError):
    describe(_layer, name_only())
