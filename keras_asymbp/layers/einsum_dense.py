import math

import keras
from keras import ops

from keras_asymbp.layers.base import AsymmetricLayer


class AsymEinsumDense(AsymmetricLayer, keras.layers.EinsumDense):
    """`keras.layers.EinsumDense` whose error travels backward through feedback weights.

    Forward the sum of products with W (eq. 1), backward its gradient in the inputs
    with V for W (eq. 2); the gradients of W and b are those of EinsumDense. NuSF
    divides by the number of inputs that each output sums over.

    Args:
        equation (str): The sum of products in the notation of `einsum`, with the
            inputs' axes, the kernel's and the outputs', such as `"abc,cd->abd"`.
        output_shape (int | tuple[int | None, ...]): Shape of the outputs without the
            axis of the batch, and without axes that an ellipsis stands for. None where
            the size is that of the inputs.
        bias_axes (str | None): Letters of the outputs' axes that b has, such as `"d"`.
            None: no bias.

    Input shape:
        That of the equation's first operand, `(batch, a, b, ...)`.

    Output shape:
        `(batch, *output_shape)`, that of the equation's result.

    Raises:
        ValueError: If the rule is unknown, if `EinsumDense` refuses an argument, and
            for LoRA and quantization, which are not supported.

    Attributes:
        kernel (Variable): W, of the shape of the equation's second operand.
        bias (Variable | None): b, of the shape of the outputs' `bias_axes`.

    >>> import keras
    >>> import keras_asymbp
    >>> model = keras.Sequential([keras.Input((5, 8))])
    >>> model.add(keras_asymbp.AsymEinsumDense("abc,cd->abd", (5, 2), feedback="uSF"))
    >>> model.output_shape
    (None, 5, 2)

    Source: equations 1 and 2, section 2, Liao et al. 2016.
    """

    def call(self, inputs, training=None):
        outputs = self._asymmetric(
            lambda x, kernel: ops.einsum(self.equation, x, kernel), inputs, self.kernel
        )
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        if self.activation is not None:
            outputs = self.activation(outputs)
        return outputs

    def _fan_in(self, kernel):
        return self._size(kernel, lambda subscript, output: subscript not in output)

    def _fan_out(self, kernel):
        return self._size(kernel, lambda subscript, output: subscript in output)

    def _output_axes(self, kernel):
        inputs, subscripts, output = self._subscripts()
        only = set(output) - set(inputs)
        return tuple(
            axis - len(subscripts)
            for axis, subscript in enumerate(subscripts)
            if subscript in only
        )

    def _size(self, kernel, counts):
        """Returns the product of the kernel's dimensions whose subscript counts."""
        _, subscripts, output = self._subscripts()
        return math.prod(
            size
            for subscript, size in zip(subscripts, kernel.shape, strict=True)
            if counts(subscript, output)
        )

    def _subscripts(self):
        """Returns the equation's subscripts of inputs, kernel and outputs."""
        operands, output = self.equation.replace(" ", "").split("->")
        return *operands.split(","), output
