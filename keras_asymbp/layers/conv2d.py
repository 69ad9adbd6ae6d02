import keras

from keras_asymbp.layers.base import AsymmetricLayer


class AsymConv2D(AsymmetricLayer, keras.layers.Conv2D):
    """`keras.layers.Conv2D` whose error travels backward through feedback weights.

    Forward the convolution with W (eq. 1), backward the gradient in the inputs of the
    same convolution with V (eq. 2); the gradients of W and b are those of Conv2D.

    Input shape:
        `(batch, height, width, channels)`; with `data_format="channels_first"`:
        `(batch, channels, height, width)`.

    Output shape:
        `(batch, new height, new width, filters)`; with `data_format="channels_first"`:
        `(batch, filters, new height, new width)`.

    Raises:
        ValueError: If the rule is unknown, if `Conv2D` refuses an argument, and for
            LoRA and quantization, which are not supported.

    Attributes:
        kernel (Variable): W, of shape `(*kernel_size, channels / groups, filters)`.
        bias (Variable | None): b, of shape `(filters,)`.

    >>> import keras
    >>> import keras_asymbp
    >>> model = keras.Sequential([keras.Input((28, 28, 1))])
    >>> model.add(keras_asymbp.AsymConv2D(20, 5, activation="relu", feedback="uSF"))
    >>> model.output_shape
    (None, 24, 24, 20)

    Source: equations 1 and 2, section 2, Liao et al. 2016.
    """

    def convolution_op(self, inputs, kernel):
        return self._asymmetric(super().convolution_op, inputs, kernel)
