import keras
from keras import ops

from keras_asymbp.layers.base import AsymmetricLayer
from keras_asymbp.layers.depthwise_conv2d import (
    depthwise_fan_in,
    depthwise_fan_out,
    depthwise_product,
)


class AsymSeparableConv2D(AsymmetricLayer, keras.layers.SeparableConv2D):
    """`keras.layers.SeparableConv2D` whose error travels through feedback weights.

    Each of its products, the depthwise and the 1x1 convolution, has its own feedback
    kernel: forward W (eq. 1), backward V (eq. 2). The gradients of the kernels and of b
    are those of SeparableConv2D.

    Args:
        feedback (str | dict | Feedback | None): The rule of both kernels: its name,
            such as `"uSF"`, an instance, or its config. None: backpropagation. Random
            rules draw for each kernel independently.

    Input shape:
        `(batch, height, width, channels)`; with `data_format="channels_first"`:
        `(batch, channels, height, width)`.

    Output shape:
        `(batch, new height, new width, filters)`; with `data_format="channels_first"`:
        `(batch, filters, new height, new width)`.

    Raises:
        ValueError: If the rule is unknown, if `SeparableConv2D` refuses an argument,
            and for LoRA and quantization, which are not supported.

    Attributes:
        depthwise_kernel (Variable): The W of the depthwise convolution, of shape
            `(*kernel_size, channels, depth_multiplier)`.
        pointwise_kernel (Variable): The W of the 1x1 convolution, of shape
            `(1, 1, channels * depth_multiplier, filters)`.
        bias (Variable | None): b, of shape `(filters,)`.
        feedback (Feedback): The rule of the depthwise kernel.
        pointwise_feedback (Feedback): The rule of the pointwise kernel, of
            the same kind.

    >>> import keras
    >>> import keras_asymbp
    >>> model = keras.Sequential([keras.Input((8, 8, 3))])
    >>> model.add(keras_asymbp.AsymSeparableConv2D(4, 3, feedback="uSF"))
    >>> model.output_shape
    (None, 6, 6, 4)

    Source: equations 1 and 2, section 2, Liao et al. 2016.
    """

    def call(self, inputs):
        depthwise = depthwise_product(self)
        outputs = self._asymmetric(depthwise, inputs, self.depthwise_kernel)
        outputs = self._asymmetric(
            lambda x, kernel: ops.conv(x, kernel, data_format=self.data_format),
            outputs,
            self.pointwise_kernel,
            self.pointwise_feedback,
        )
        return self._add_bias_and_activate(outputs)

    @property
    def feedback_kernel(self):
        """V of the depthwise and the pointwise kernel, a tuple of two tensors."""
        self._check_built()
        return tuple(v for *_, v in self.feedback_pairs())

    def _set_feedback(self, rule):
        self.feedback = rule
        self.pointwise_feedback = rule.sibling(1)
        # Keras knows variables by the names on their path, in HDF5 and in state trees.
        self.pointwise_feedback.name = f"pointwise_{rule.name}"

    def _rules(self):
        return [
            (self.feedback, "depthwise_kernel"),
            (self.pointwise_feedback, "pointwise_kernel"),
        ]

    def _fan_in(self, kernel):
        if kernel is self.pointwise_kernel:
            return super()._fan_in(kernel)
        return depthwise_fan_in(kernel)

    def _fan_out(self, kernel):
        if kernel is self.pointwise_kernel:
            return super()._fan_out(kernel)
        return depthwise_fan_out(kernel)
