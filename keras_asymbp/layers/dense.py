import keras
from keras import ops

from keras_asymbp.layers.base import AsymmetricLayer


class AsymDense(AsymmetricLayer, keras.layers.Dense):
    """`keras.layers.Dense` whose error travels backward through feedback weights.

    `Y = f(X W + b)` forward (eq. 1), `dE/dX = (dE/dY f'(N)) V^T` backward (eq. 2);
    the gradients of W and b are those of Dense.

    Input shape:
        `(batch, ..., inputs)`.

    Output shape:
        `(batch, ..., units)`.

    Raises:
        ValueError: If the rule is unknown, if `Dense` refuses an argument, and for LoRA
            and quantization, which are not supported.

    Attributes:
        kernel (Variable): W, of shape `(inputs, units)`.
        bias (Variable | None): b, of shape `(units,)`.

    >>> import keras
    >>> import keras_asymbp
    >>> model = keras.Sequential([keras.Input((784,))])
    >>> model.add(keras_asymbp.AsymDense(512, activation="relu", feedback="uSF"))
    >>> model.output_shape
    (None, 512)

    Source: equations 1 and 2, section 2, Liao et al. 2016.
    """

    def call(self, inputs, training=None):
        outputs = self._asymmetric(ops.matmul, inputs, self.kernel)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        if self.activation is not None:
            outputs = self.activation(outputs)
        return outputs
