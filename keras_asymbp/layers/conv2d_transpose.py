import math

import keras
from keras import ops

from keras_asymbp.layers.base import AsymmetricLayer


class AsymConv2DTranspose(AsymmetricLayer, keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose` whose error travels through feedback weights.

    Forward the transposed convolution with W (eq. 1), backward the gradient in the
    inputs of the same one with V (eq. 2); the gradients of W and b are those of
    Conv2DTranspose.

    Input shape:
        `(batch, height, width, channels)`; with `data_format="channels_first"`:
        `(batch, channels, height, width)`.

    Output shape:
        `(batch, new height, new width, filters)`; with `data_format="channels_first"`:
        `(batch, filters, new height, new width)`.

    Raises:
        ValueError: If the rule is unknown, if `Conv2DTranspose` refuses an argument,
            and for LoRA and quantization, which are not supported.

    Attributes:
        kernel (Variable): W, of shape `(*kernel_size, filters, channels)`.
        bias (Variable | None): b, of shape `(filters,)`.

    >>> import keras
    >>> import keras_asymbp
    >>> model = keras.Sequential([keras.Input((6, 6, 3))])
    >>> model.add(keras_asymbp.AsymConv2DTranspose(4, 3, feedback="uSF"))
    >>> model.output_shape
    (None, 8, 8, 4)

    Source: equations 1 and 2, section 2, Liao et al. 2016.
    """

    def call(self, inputs):
        outputs = self._asymmetric(
            lambda x, kernel: ops.conv_transpose(
                x,
                kernel,
                strides=list(self.strides),
                padding=self.padding,
                output_padding=self.output_padding,
                dilation_rate=self.dilation_rate,
                data_format=self.data_format,
            ),
            inputs,
            self.kernel,
        )
        return self._add_bias_and_activate(outputs)

    def _fan_in(self, kernel):
        *size, _, inputs = kernel.shape  # width, height, filters, input channels
        return math.prod(size) * inputs

    def _fan_out(self, kernel):
        return math.prod(kernel.shape[:-1])

    def _output_axes(self, kernel):
        return (-2,)
