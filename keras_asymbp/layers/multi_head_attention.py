import keras

from keras_asymbp.copying import copy
from keras_asymbp.layers.base import AsymmetricLayer
from keras_asymbp.layers.einsum_dense import AsymEinsumDense


class AsymMultiHeadAttention(AsymmetricLayer, keras.layers.MultiHeadAttention):
    """`keras.layers.MultiHeadAttention` with asymmetric feedback in its projections.

    The projections of query, key, value and output, and the gate's, are
    `AsymEinsumDense` layers: forward W (eq. 1), backward V (eq. 2). The attention
    between them has no weights and is differentiated as usual.

    Args:
        num_heads: As in `keras.layers.MultiHeadAttention`, like all arguments but
            `feedback`.
        feedback: The feedback rule of every projection: a name (`"uSF"`), a `Feedback`,
            its config, or None for backpropagation. Each projection has its own rule;
            random rules draw independently.

    Raises:
        ValueError: If the rule is unknown, if `MultiHeadAttention` refuses an argument,
            and for LoRA and quantization, which are not supported.

    Attributes:
        feedback: The template of the projections' rules; it has no state.

    >>> import keras
    >>> import keras_asymbp
    >>> attention = keras_asymbp.AsymMultiHeadAttention(2, 4, feedback="uSF")
    >>> x = keras.ops.ones((1, 5, 8))
    >>> tuple(attention(x, x).shape), type(attention.query_dense).__name__
    ((1, 5, 8), 'AsymEinsumDense')

    Source: equations 1 and 2, section 2, Liao et al. 2016.
    """

    def build(self, query_shape, value_shape, key_shape=None):
        keras.layers.MultiHeadAttention.build(self, query_shape, value_shape, key_shape)

    def __setattr__(self, name, value):
        # Keras's `build` first sets all projections, then builds them.
        if type(value) is keras.layers.EinsumDense:
            rule = self.feedback.sibling(len(self._projections()))
            value = copy(value, create=AsymEinsumDense, feedback=rule)
        super().__setattr__(name, value)

    @property
    def feedback_kernel(self):
        """V of each projection, by its name."""
        return {layer.name: layer.feedback_kernel for layer in self._projections()}

    def _projections(self):
        return [
            layer for layer in self._flatten_layers() if type(layer) is AsymEinsumDense
        ]

    def _rules(self):
        return []  # the projections have them
