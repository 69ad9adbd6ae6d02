import keras
from keras import ops

from keras_asymbp.layers.base import AsymmetricLayer


class AsymConv1D(AsymmetricLayer, keras.layers.Conv1D):
    """`keras.layers.Conv1D` whose error travels backward through feedback weights.

    Forward the convolution with W (eq. 1), backward the gradient in the inputs of the
    same convolution with V (eq. 2); the gradients of W and b are those of Conv1D.

    Args:
        padding (str): `"valid"` for no padding, `"same"` for zeros around the inputs,
            with which the outputs have the inputs' size if strides are 1, or `"causal"`
            for zeros before them, with which no output depends on later inputs.

    Input shape:
        `(batch, steps, channels)`; with `data_format="channels_first"`:
        `(batch, channels, steps)`.

    Output shape:
        `(batch, new steps, filters)`; with `data_format="channels_first"`:
        `(batch, filters, new steps)`.

    Raises:
        ValueError: If the rule is unknown, if `Conv1D` refuses an argument, and for
            LoRA and quantization, which are not supported.

    Attributes:
        kernel (Variable): W, of shape `(size, channels / groups, filters)`.
        bias (Variable | None): b, of shape `(filters,)`.

    >>> import keras
    >>> import keras_asymbp
    >>> model = keras.Sequential([keras.Input((30, 4))])
    >>> model.add(keras_asymbp.AsymConv1D(8, 3, padding="causal", feedback="frSF"))
    >>> model.output_shape
    (None, 30, 8)

    Source: equations 1 and 2, section 2, Liao et al. 2016.
    """

    def call(self, inputs):
        padding = self.padding
        if padding == "causal":
            inputs = ops.pad(inputs, self._compute_causal_padding())
            padding = "valid"
        outputs = self._asymmetric(
            lambda x, kernel: ops.conv(
                x,
                kernel,
                strides=list(self.strides),
                padding=padding,
                dilation_rate=self.dilation_rate,
                data_format=self.data_format,
            ),
            inputs,
            self.kernel,
        )
        return self._add_bias_and_activate(outputs)
