"""What every asymmetric layer shares, over the Keras layer of the same name."""

import inspect
import math

import keras
from keras import ops

from keras_asymbp import feedbacks
from keras_asymbp.gradients import asymmetric


class AsymmetricLayer(keras.layers.Layer):
    """Mixin that sends a Keras layer's error back through a feedback kernel V.

    `class AsymDense(AsymmetricLayer, keras.layers.Dense)` takes every argument of
    `Dense`, with its default, and `feedback`. A subclass routes its product of inputs
    and kernel through `_asymmetric`; everything else is the Keras layer's.

    Attributes:
        feedback: The layer's rule, a `keras_asymbp.feedbacks.Feedback`.
    """

    def __init__(self, *args, feedback="uSF", **kwargs):
        if kwargs.get("lora_rank"):
            raise ValueError(self._refusal("LoRA") + " Leave out `lora_rank`.")
        if kwargs.get("quantization_config"):
            raise ValueError(
                self._refusal("quantization") + " Leave out `quantization_config`."
            )
        rule = feedbacks.get(feedback)
        super().__init__(*args, **kwargs)
        if self.quantization_mode:
            raise ValueError(
                self._refusal("quantization")
                + f" Received: dtype={self.dtype_policy.name!r}"
            )
        self.feedback = rule

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" not in cls.__dict__:
            cls.__signature__ = _signature_with_feedback(cls)

    def build(self, input_shape):
        if self.feedback.built:
            raise ValueError(
                "A feedback rule belongs to one layer, and the one given to layer "
                f"'{self.name}' is built for another. Give each layer its own: a "
                "string, a config, or a new instance."
            )
        super().build(input_shape)
        self.feedback.fan_in = self._fan_in
        self.feedback.build(tuple(self.kernel.shape))

    @property
    def feedback_kernel(self):
        """V, as the next backward pass will use it: a tensor of the kernel's shape."""
        return ops.copy(self.feedback(self.kernel))

    @property
    def _fan_in(self):
        """The number of inputs of one filter."""
        return math.prod(self.kernel.shape[:-1])

    def _asymmetric(self, product, inputs, kernel):
        """`product(inputs, kernel)`, whose error travels back through V."""
        if self.feedback.symmetric:
            return product(inputs, kernel)
        return asymmetric(product, inputs, kernel, lambda: self.feedback(self.kernel))

    def enable_lora(self, *args, **kwargs):
        raise ValueError(
            self._refusal("LoRA") + f" Use keras.layers.{self._twin().__name__}."
        )

    def quantize(self, *args, **kwargs):
        raise ValueError(
            self._refusal("quantization")
            + " Train first, then quantize a Keras layer with the same weights."
        )

    @classmethod
    def _refusal(cls, what):
        return (
            f"{cls.__name__} does not support {what}: its feedback kernel is made for "
            "the kernel that is trained."
        )

    @classmethod
    def _twin(cls):
        """The Keras layer of the same name."""
        return next(
            base for base in cls.__mro__ if not issubclass(base, AsymmetricLayer)
        )

    def get_config(self):
        config = super().get_config()
        config["feedback"] = feedbacks.serialize(self.feedback)
        return config


def _signature_with_feedback(cls):
    """The signature of the Keras layer with `feedback` as a last, keyword argument."""
    signature = inspect.signature(cls._twin())
    feedback = inspect.signature(AsymmetricLayer.__init__).parameters["feedback"]
    *arguments, variable_keywords = signature.parameters.values()
    return signature.replace(parameters=[*arguments, feedback, variable_keywords])
