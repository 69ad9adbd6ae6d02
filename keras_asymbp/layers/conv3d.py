import keras

from keras_asymbp.layers.base import AsymmetricLayer


class AsymConv3D(AsymmetricLayer, keras.layers.Conv3D):
    """`keras.layers.Conv3D` whose error travels backward through feedback weights.

    Forward the convolution with W (eq. 1), backward the gradient in the inputs of the
    same convolution with V (eq. 2); the gradients of W and b are those of Conv3D.

    Input shape:
        `(batch, depth, height, width, channels)`; with `data_format="channels_first"`:
        `(batch, channels, depth, height, width)`.

    Output shape:
        `(batch, new depth, new height, new width, filters)`; with
        `data_format="channels_first"`:
        `(batch, filters, new depth, new height, new width)`.

    Raises:
        ValueError: If the rule is unknown, if `Conv3D` refuses an argument, and for
            LoRA and quantization, which are not supported.

    Attributes:
        kernel (Variable): W, of shape `(*kernel_size, channels / groups, filters)`.
        bias (Variable | None): b, of shape `(filters,)`.

    >>> import keras
    >>> import keras_asymbp
    >>> model = keras.Sequential([keras.Input((8, 8, 8, 1))])
    >>> model.add(keras_asymbp.AsymConv3D(4, 3, feedback="uSF"))
    >>> model.output_shape
    (None, 6, 6, 6, 4)

    Source: equations 1 and 2, section 2, Liao et al. 2016.
    """

    def convolution_op(self, inputs, kernel):
        return self._asymmetric(super().convolution_op, inputs, kernel)
