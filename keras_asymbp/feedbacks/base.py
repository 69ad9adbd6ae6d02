"""The contract of a feedback rule."""

import math
from typing import Any, ClassVar

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
    models without `custom_objects`. Return its arguments from `get_config`, as in any
    Keras layer. Create state (say, a fixed random matrix) in `build` by `add_weight`
    with `trainable=False`: it is saved with the model.

    A rule belongs to one layer, which builds it with the shape of its kernel.

    Args:
        name (str): The name.

    Attributes:
        alias (str | None): The paper's name for the rule, which `feedback="..."`
            accepts; None for a rule without one.
        symmetric (bool): Whether V is W, that is, ordinary backpropagation.
        trained (bool): Whether V is trained: the gradient of V is that of W. `call`
            returns a variable created with `trainable=True`, or a differentiable
            function of such variables, which the optimizer then updates.
        fan_in (int): The number of inputs of one filter, set by the layer before
            `build`.
        fan_out (int): Width x height x output channels of the layer, all groups
            included; the units of a Dense layer. Set likewise.
        output_axes (tuple[int, ...]): The axes of the kernel that only the outputs
            have, as negative numbers; (-1,) for Dense and Conv layers. Set likewise.
        regularizer (Regularizer | None): The kernel's regularizer, or None. Set
            likewise.
        constraint (Constraint | None): The kernel's constraint, or None. Set likewise.

    Source: section 2 of Liao, Leibo and Poggio, AAAI 2016.
    """

    alias: ClassVar[str | None] = None
    symmetric: ClassVar[bool] = False
    trained: ClassVar[bool] = False

    def __init__(self, **kwargs: Any) -> None:
        # Rules read the stored W: rounded to half precision, a kernel could lose the
        # signs of small weights, and small changes.
        kwargs.setdefault("autocast", False)
        kwargs.setdefault("name", "feedback")
        # Keras would recompute V, too, and JAX refuses the variable that it is given.
        with keras.RematScope(mode=None):
            super().__init__(**kwargs)
        self.fan_in = self.fan_out = self.regularizer = self.constraint = None
        self.output_axes = (-1,)

    def build(self, kernel_shape):
        """Creates the rule's state for a kernel of `kernel_shape`; by default none."""
        self.built = True

    def call(self, kernel):
        """Returns V, and changes no state: it may be called to look at V.

        Args:
            kernel (Variable): W in its storage dtype: the layer's kernel variable, on
                JAX its value.

        Returns:
            V, a tensor with the shape of `kernel`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must implement `call(self, kernel)`, which returns "
            "the feedback kernel V."
        )

    def redraw(self, kernel, updates=1):
        """Draws the next V after an update of W; does nothing by default.

        Args:
            kernel (Variable): W, the layer's kernel variable, after the update.
            updates (int): Number of updates since the last redraw, 0 or more.
        """
        return None  # AutoGraph can't convert a function without a statement

    @property
    def draw_number(self):
        """Number of draws so far, an integer tensor; 0 for a rule that never draws.

        A rule that also draws by itself, when `catch_up` finds W changed, returns it:
        `RedrawFeedback` then leaves out as many redraws.
        """
        return 0

    def catch_up(self, kernel):
        """Keeps the V that `call` returned for a gradient; does nothing by default.

        A rule whose V depends on W at an earlier gradient stores that W here: `call`
        must not change state.

        Args:
            kernel (Variable): W, the layer's kernel variable.
        """
        return None

    def mirror(self, product, inputs, kernel):
        """Learns V from noise in a mirror phase; does nothing by default.

        `mirror_feedback` calls it for each call of the layer.

        Args:
            product (Callable): The layer's product, a function of inputs and kernel.
            inputs (tensor): The inputs of the call; only their shape is used.
            kernel (Variable): W, the layer's kernel variable.
        """
        return None

    @property
    def variables(self):
        return [] if hidden else super().variables

    def sibling(self, number):
        """Returns a new rule of the same kind, for another kernel of the layer.

        Args:
            number (int): Index of the sibling; with a given `seed`, each has its own
                stream.

        Raises:
            ValueError: If the config's `seed` isn't None or an integer in [0, 2^31).
        """
        config = self.get_config()
        if config.get("seed") is not None:
            seed = random.resolve_seed(config["seed"])
            config["seed"] = random.derive_seed(seed, number)
        return type(self).from_config(config)

    def compute_output_shape(self, kernel_shape):
        return kernel_shape

    def quantize(self, *args, **kwargs):
        # `Model.quantize` calls the innermost layers: here, the rule.
        raise ValueError(
            "A layer with a feedback kernel does not support quantization. Train "
            "first, then quantize a Keras model with the same weights."
        )

    def save_own_variables(self, store):
        # By class, as Keras stores layers: the arrays of two rules may look alike.
        own: dict = {}
        super().save_own_variables(own)
        for number, variable in own.items():
            store[f"{type(self).__name__}_{number}"] = variable

    def load_own_variables(self, store):
        prefix = f"{type(self).__name__}_"
        own = {key.removeprefix(prefix): key for key in store.keys()}  # noqa: SIM118
        foreign = [key for key in own if not key.isdecimal()]
        if foreign or (self.variables and not own):
            raise ValueError(
                f"Expected the state of rule {type(self).__name__}. Received: "
                f"{', '.join(foreign) or 'none'}, for the weights were saved with "
                "another rule. Build the model with that rule, call `load_weights`, "
                "then change the rule by "
                "`keras_asymbp.asymmetrize(symmetrize(model), feedback)`."
            )
        super().load_own_variables({number: store[key] for number, key in own.items()})

    def get_build_config(self):
        # The layer builds its rule, even when a saved model is loaded.
        return None


def fan(rule: Feedback, name: str) -> int:
    """Returns a rule's `fan_in` or `fan_out`.

    Raises:
        ValueError: If it isn't set yet.
    """
    size = getattr(rule, name)
    if size is None:
        raise ValueError(
            f"Rule {type(rule).__name__} needs `{name}`, which the layer that owns the "
            "rule sets when it is built. Expected: a rule of a built layer. Received: "
            f"{name}=None"
        )
    return size


def sign(kernel):
    """Returns sign(W), with sign(0) = 0: a weight of zero sends no error back."""
    return ops.sign(kernel)


def to_matrix(kernel, output_axes):
    """Returns a kernel as a matrix of inputs by outputs.

    Args:
        kernel (tensor): W or V.
        output_axes (tuple[int, ...]): The rule's `output_axes`.

    Returns:
        A tensor of shape `(inputs, outputs)`: a row for each element of the axes that
        are not those of the outputs, in their order.
    """
    order, inputs, _ = _order(kernel.shape, output_axes)
    return ops.reshape(ops.transpose(kernel, order), (inputs, -1))


def from_matrix(matrix, shape, output_axes):
    """Returns the kernel of `shape` that `to_matrix` makes into `matrix`."""
    order, _, _ = _order(shape, output_axes)
    moved = ops.reshape(matrix, [shape[axis] for axis in order])
    return ops.transpose(moved, [order.index(axis) for axis in range(len(order))])


def matrix_shape(shape, output_axes):
    """Returns the shape of `to_matrix` for a kernel of `shape`."""
    _, inputs, outputs = _order(shape, output_axes)
    return inputs, outputs


def _order(shape, output_axes):
    """The axes of a kernel, those of the outputs last; numbers of inputs, outputs."""
    last = [axis % len(shape) for axis in output_axes]
    first = [axis for axis in range(len(shape)) if axis not in last]
    inputs, outputs = (math.prod(shape[a] for a in axes) for axes in (first, last))
    return first + last, inputs, outputs


def overrides(rule: Feedback, method: str) -> bool:
    """Whether a rule's class has its own version of a method of `Feedback`."""
    return getattr(type(rule), method) is not getattr(Feedback, method)
