"""The contract of a feedback rule."""

from typing import ClassVar

import keras
from keras import ops

from keras_asymbp import random
from keras_asymbp._switch import hidden


class Feedback(keras.layers.Layer):
    """A feedback rule: from the forward kernel W to the feedback kernel V.

    The backward pass of a layer uses V where backpropagation uses W (eq. 2).
    A rule of your own needs one method, `call`:

    >>> import keras_asymbp
    >>> class Halved(keras_asymbp.feedbacks.Feedback):
    ...     def call(self, kernel):
    ...         return 0.5 * kernel
    >>> layer = keras_asymbp.AsymDense(3, feedback=Halved())

    Decorate it with `keras.saving.register_keras_serializable()` to load saved
    models without `custom_objects`. Arguments go into `get_config`, as for any Keras
    layer. State (a fixed random matrix, say) is made in `build` by `add_weight` with
    `trainable=False`, and is saved with the model.

    A rule belongs to one layer, which builds it with the shape of its kernel.

    Attributes:
        alias: The paper's name for the rule, which `feedback="..."` accepts; None
            for a rule without one.
        symmetric: Whether V is W, so that ordinary backpropagation is what is meant.
        trained: Whether V, what `call` returns, is a variable that the optimizer
            updates by the gradient of W. Such a rule makes it with `trainable=True`.
        fan_in: The number of inputs of one filter, set by the layer before `build`.
        fan_out: The number of outputs that one input of a filter can reach: width x
            height x output channels, the units of a Dense layer. Set likewise.
        regularizer: The kernel's regularizer, or None. Set likewise.

    Source: section 2 of Liao, Leibo and Poggio, AAAI 2016.
    """

    alias: ClassVar[str | None] = None
    symmetric: ClassVar[bool] = False
    trained: ClassVar[bool] = False

    def __init__(self, **kwargs):
        # Rules see W as it is stored: a kernel rounded to half precision could lose
        # small weights' signs, and changes too small to show.
        kwargs.setdefault("autocast", False)
        kwargs.setdefault("name", "feedback")
        super().__init__(**kwargs)
        self.fan_in = self.fan_out = self.regularizer = None

    def build(self, kernel_shape):
        """Makes the rule's state for a kernel of `kernel_shape`; by default none."""
        self.built = True

    def call(self, kernel):
        """Returns V.

        Args:
            kernel: W, the layer's kernel variable, in its storage dtype.

        Returns:
            V, a tensor with the shape of `kernel`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must implement `call(self, kernel)`, which returns "
            "the feedback kernel V."
        )

    def redraw(self, kernel, updates=1):
        """Draws the next V after an update of W; by default V has nothing to draw.

        Args:
            kernel: W, the layer's kernel variable, after the update.
            updates: Number of updates since the last redraw, 0 or more.
        """

    def catch_up(self, kernel):
        """Draws the next V if W has changed since the last; by default does nothing.

        Args:
            kernel: W, the layer's kernel variable.
        """

    def mirror(self, product, inputs, kernel):
        """Learns V in a mirror phase, from noise; by default V has nothing to learn.

        `mirror_feedback` calls it, for each call of the layer.

        Args:
            product: The layer's product, a function of inputs and kernel.
            inputs: What the layer was called with: their shape is what counts.
            kernel: W, the layer's kernel variable.
        """

    @property
    def variables(self):
        return [] if hidden else super().variables

    def sibling(self, number):
        """A new rule of the same kind, for another kernel of the same layer.

        Args:
            number: Which one; a given `seed` gives each number a stream of its own.
        """
        config = self.get_config()
        if config.get("seed") is not None:
            config["seed"] = random.derive_seed(config["seed"], number)
        return type(self).from_config(config)

    def compute_output_shape(self, kernel_shape):
        return kernel_shape

    def quantize(self, *args, **kwargs):
        # `Model.quantize` asks the innermost layers: a rule answers for its layer.
        raise ValueError(
            "A layer with a feedback kernel does not support quantization. Train "
            "first, then quantize a Keras model with the same weights."
        )

    def get_build_config(self):
        # The layer builds its rule, also when a saved model is loaded.
        return None


def sign(kernel):
    """sign(W), with sign(0) = 0: a weight that is zero sends no error back."""
    return ops.sign(kernel)
