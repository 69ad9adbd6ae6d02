import math

import keras
from keras import ops

from keras_asymbp.layers.base import AsymmetricLayer


class AsymDepthwiseConv2D(AsymmetricLayer, keras.layers.DepthwiseConv2D):
    """`keras.layers.DepthwiseConv2D` whose error travels through feedback weights.

    Forward the convolution with W (eq. 1), backward the gradient in the inputs of the
    same convolution with V (eq. 2); the gradients of W and b are those of
    DepthwiseConv2D. A filter sees one channel: NuSF divides by width x height.

    Args:
        depth_multiplier (int): Number of outputs of each input channel; the layer has
            `channels * depth_multiplier` outputs.

    Input shape:
        `(batch, height, width, channels)`; with `data_format="channels_first"`:
        `(batch, channels, height, width)`.

    Output shape:
        `(batch, new height, new width, outputs)`; with `data_format="channels_first"`:
        `(batch, outputs, new height, new width)`.

    Raises:
        ValueError: If the rule is unknown, if `DepthwiseConv2D` refuses an argument,
            and for LoRA and quantization, which are not supported.

    Attributes:
        kernel (Variable): W, of shape `(*kernel_size, channels, depth_multiplier)`.
        bias (Variable | None): b, of shape `(outputs,)`.

    >>> import keras
    >>> import keras_asymbp
    >>> model = keras.Sequential([keras.Input((8, 8, 3))])
    >>> model.add(keras_asymbp.AsymDepthwiseConv2D(3, feedback="NuSF"))
    >>> model.output_shape
    (None, 6, 6, 3)

    Source: equations 1 and 2, section 2, Liao et al. 2016.
    """

    def call(self, inputs):
        outputs = self._asymmetric(depthwise_product(self), inputs, self.kernel)
        return self._add_bias_and_activate(outputs)

    def _fan_in(self, kernel):
        return depthwise_fan_in(kernel)

    def _fan_out(self, kernel):
        return depthwise_fan_out(kernel)


def depthwise_product(layer):
    """Returns a layer's depthwise convolution, a function of inputs and kernel."""
    return lambda inputs, kernel: ops.depthwise_conv(
        inputs,
        kernel,
        strides=layer.strides,
        padding=layer.padding,
        dilation_rate=layer.dilation_rate,
        data_format=layer.data_format,
    )


def depthwise_fan_in(kernel):
    """Returns the number of inputs of one filter of a depthwise kernel."""
    *size, _, _ = kernel.shape  # width, height, channels, multiplier
    return math.prod(size)


def depthwise_fan_out(kernel):
    """Returns width x height x output channels of a depthwise kernel."""
    return math.prod(kernel.shape)
