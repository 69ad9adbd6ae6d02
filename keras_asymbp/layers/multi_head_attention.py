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
        num_heads (int): Number of attention heads.
        key_dim (int): Size of query and key in each head.
        value_dim (int | None): Size of the value in each head. None: `key_dim`.
        dropout (float): Probability of dropping an attention score in training.
        use_bias (bool): Whether the projections have biases.
        output_shape (int | tuple[int, ...] | None): Shape of one position's output.
            None: the query's number of features.
        attention_axes (tuple[int, ...] | None): Axes that attention runs over. None:
            all but those of batch, heads and features.
        sliding_window (int | None): Number of positions, including its own, that a
            target can look back or ahead. None: all.
        flash_attention (bool | None): Whether to use flash attention. None: where the
            backend and the shapes allow it.
        kernel_initializer (str | Initializer): Initializer of each projection's W.
        bias_initializer (str | Initializer): Initializer of each projection's b.
        use_gate (bool): Whether a projection of the query, passed through a sigmoid,
            multiplies the outputs of the heads.
        seed (int | None): Seed of the dropout.
        feedback (str | dict | Feedback | None): The rule of every projection: its name,
            such as `"uSF"`, an instance, or its config. None: backpropagation. Each
            projection has its own rule; random rules draw independently.

    Call arguments:
        query (tensor): Of shape `(batch, targets, features)`.
        value (tensor): Of shape `(batch, sources, value features)`.
        key (tensor | None): Of shape `(batch, sources, key features)`. None: `value`.
        query_mask (tensor | None): Mask of the targets, of shape `(batch, targets)`.
        value_mask (tensor | None): Mask of the sources, of shape `(batch, sources)`.
        key_mask (tensor | None): The same for the key.
        attention_mask (tensor | None): 1 where a target may attend to a source, of
            shape `(batch, targets, sources)`.
        return_attention_scores (bool): Whether to return a tuple of the outputs and the
            scores, of shape `(batch, num_heads, targets, sources)`.
        training (bool | None): Whether to apply dropout.
        use_causal_mask (bool): Whether targets attend to earlier positions only.

    Output shape:
        `(batch, targets, features)`, or `(batch, targets, *output_shape)`.

    Raises:
        ValueError: If the rule is unknown, if `MultiHeadAttention` refuses an argument,
            and for LoRA and quantization, which are not supported.

    Attributes:
        feedback (Feedback): The template of the projections' rules; it has no state.

    >>> import keras
    >>> import keras_asymbp
    >>> attention = keras_asymbp.AsymMultiHeadAttention(2, 4, feedback="uSF")
    >>> x = keras.ops.ones((1, 5, 8))
    >>> tuple(attention(x, x).shape), type(attention.query_dense).__name__
    ((1, 5, 8), 'AsymEinsumDense')

    Source: equations 1 and 2, section 2, Liao et al. 2016.
    """

    def build(self, query_shape, value_shape, key_shape=None):
        self._check_rule(self.feedback)
        keras.layers.MultiHeadAttention.build(self, query_shape, value_shape, key_shape)
        self.feedback.built = True  # as its siblings are: no other layer can have it

    def __setattr__(self, name, value):
        # Keras's `build` first sets all projections, then builds them.
        if type(value) is keras.layers.EinsumDense:
            rule = self.feedback.sibling(len(self._projections()))
            value = copy(value, create=AsymEinsumDense, feedback=rule)
        super().__setattr__(name, value)

    @property
    def feedback_kernel(self):
        """V of each projection, by its name."""
        self._check_built()
        return {layer.name: layer.feedback_kernel for layer in self._projections()}

    def feedback_pairs(self):
        return [
            (layer.name, kernel, v)
            for layer in self._projections()
            for _, kernel, v in layer.feedback_pairs()
        ]

    def redraw_feedback(self, updates=1):
        for layer in self._projections():
            layer.redraw_feedback(updates)

    def _projections(self):
        return [
            layer for layer in self._flatten_layers() if type(layer) is AsymEinsumDense
        ]

    def _rules(self):
        return []  # the projections have them
