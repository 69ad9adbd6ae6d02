"""The base of asymmetric layers, a mixin for the Keras layer of the same name."""

import inspect
import math

import keras
from keras import ops
from keras.src.backend.common.global_state import get_global_attribute
from keras.src.backend.common.variables import AutocastScope

from keras_asymbp import feedbacks
from keras_asymbp._arguments import LAYER, described, extended, set_signature
from keras_asymbp._numbers import is_count
from keras_asymbp._switch import mirroring
from keras_asymbp.backend import has_value, may_commit, outside_loops
from keras_asymbp.gradients import asymmetric

# Arguments of Keras layers that can't be supported, with their feature.
_REFUSED = {"lora_rank": "LoRA", "quantization_config": "quantization"}


class AsymmetricLayer(keras.layers.Layer):
    """Mixin that sends a Keras layer's error back through a feedback kernel V.

    `class AsymDense(AsymmetricLayer, keras.layers.Dense)` takes the arguments of
    `Dense`, with their defaults, and `feedback`. A subclass computes its product of
    inputs and kernel by `_asymmetric`; everything else is the Keras layer's.

    Attributes:
        feedback (Feedback): The layer's rule, a `keras_asymbp.feedbacks.Feedback`.
    """

    def __init__(self, *args, feedback="uSF", **kwargs):
        for argument, feature in _REFUSED.items():
            if kwargs.get(argument):
                raise ValueError(
                    self._refusal(feature)
                    + f" Leave out `{argument}`. Received: "
                    + f"{argument}={kwargs[argument]!r}"
                )
        rule = feedbacks.get(feedback)
        super().__init__(*args, **kwargs)
        for argument, feature in _REFUSED.items():  # given by position
            if getattr(self, argument, None):
                raise ValueError(self._refusal(feature) + f" Leave out `{argument}`.")
        if self.quantization_mode:
            raise ValueError(
                self._refusal("quantization")
                + " Expected a floating point dtype or mixed precision. Received: "
                f"dtype={self.dtype_policy.name!r}"
            )
        self._set_feedback(rule)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" not in cls.__dict__:
            signature = _signature_with_feedback(cls)
            set_signature(cls, signature)
            if cls.__doc__ and cls.twin() in cls.__bases__:
                cls.__doc__ = described(cls.__doc__, signature, cls.twin())

    @classmethod
    def twin(cls):
        """Returns the Keras layer that this layer is the asymmetric form of."""
        return next(
            base for base in cls.__mro__ if not issubclass(base, AsymmetricLayer)
        )

    def build(self, input_shape):
        for rule, _ in self._rules():
            self._check_rule(rule)
        if not keras.backend.is_float_dtype(self.variable_dtype):
            raise ValueError(
                f"Layer '{self.name}' must have a floating point dtype: integers have "
                f"no gradient. Received: dtype={self.variable_dtype}"
            )
        super().build(input_shape)
        for rule, attribute in self._rules():
            kernel = getattr(self, attribute)
            rule.fan_in = self._fan_in(kernel)
            rule.fan_out = self._fan_out(kernel)
            rule.output_axes = self._output_axes(kernel)
            rule.regularizer = kernel.regularizer
            rule.constraint = kernel.constraint
            # V is stored as W is.
            rule.dtype_policy = kernel.dtype
            rule.build(tuple(kernel.shape))

    def _check_rule(self, rule):
        """Checks that a rule is one, and that no other layer has built it."""
        if not isinstance(rule, feedbacks.Feedback):
            raise ValueError(
                f"The feedback rule of layer '{self.name}' must be a `Feedback`. Give "
                f"its name or config to the layer's constructor. Received: {rule!r}"
            )
        if rule.built and not self.built:
            raise ValueError(
                f"The feedback rule of layer '{self.name}' belongs to another layer, "
                "for which it was built. Give each layer its own: a string, a config "
                "or a new instance."
            )

    @property
    def feedback_kernel(self):
        """V of the next backward pass, a tensor of the kernel's shape."""
        self._check_built()
        return ops.copy(self._checked(self.feedback, self.kernel))

    def _check_built(self):
        """Checks that the layer has its kernels, before V is read."""
        if not self.built:
            # As Keras's of `kernel`: the layer doesn't have the attribute yet.
            raise AttributeError(
                f"Layer '{self.name}' has no `feedback_kernel` yet: its shape follows "
                "from the inputs. Expected: a built layer. Call the layer, or give its "
                "model an Input. Received: built=False"
            )

    def feedback_pairs(self):
        """Returns a tuple of name, W and V for each kernel of the layer.

        The name is that of the attribute, or of the projection in
        `AsymMultiHeadAttention`.

        Before `build` there is none.
        """
        if not self.built:
            return []
        return [
            (attribute, kernel, ops.copy(self._checked(rule, kernel)))
            for rule, attribute in self._rules()
            for kernel in [getattr(self, attribute)]
        ]

    def feedback_rules(self):
        """Returns each rule of the layer with its kernel W; none before `build`."""
        if not self.built:
            return []
        return [(rule, getattr(self, attribute)) for rule, attribute in self._rules()]

    def redraw_feedback(self, updates=1):
        """Draws the next V of each rule, after `updates` updates of the kernels.

        Args:
            updates (int | tensor): Number of updates since the last draw, an integer of
                0 or more or an integer tensor.

        Raises:
            ValueError: If `updates` isn't one of these.
        """
        check_updates(updates)
        for rule, kernel in self.feedback_rules():
            rule.redraw(kernel, updates)

    def catch_up_feedback(self):
        """Lets each rule keep the V of its last gradient: see `Feedback.catch_up`."""
        for rule, kernel in self.feedback_rules():
            rule.catch_up(kernel)

    def _set_feedback(self, rule):
        """Stores the rule; a layer with several kernels also creates its siblings."""
        self.feedback = rule

    def _rules(self):
        """Returns each rule with the name of its kernel."""
        return [(self.feedback, "kernel")]

    def _fan_in(self, kernel):
        """Returns the number of inputs of one filter of `kernel`."""
        return math.prod(kernel.shape[:-1])

    def _fan_out(self, kernel):
        """Returns width x height x output channels of the layer for `kernel`."""
        *size, _, outputs = kernel.shape
        return math.prod(size) * outputs

    def _output_axes(self, kernel):
        """Returns the axes of `kernel` that only the outputs have, negative."""
        return (-1,)

    def _asymmetric(self, product, inputs, kernel, rule=None):
        """Returns `product(inputs, kernel)`, whose error travels back through V.

        Args:
            product: A function that is linear in each of its two arguments.
            inputs: Its first argument.
            kernel: Its second argument, one of the layer's kernels.
            rule: The rule of that kernel; by default the layer's only rule.
        """
        rule = rule or self.feedback
        if rule.symmetric:
            return product(inputs, kernel)
        state = [kernel, *rule.variables]
        if mirroring:
            # Rules read the stored W, not one rounded to half precision.
            with outside_loops(state), AutocastScope(None):
                rule.mirror(product, inputs, kernel)

        def commit():
            with outside_loops(state):
                rule.catch_up(kernel)

        return asymmetric(
            product,
            inputs,
            kernel,
            lambda: self._checked(rule, kernel),
            commit=commit if may_commit(self, _training()) else _nothing,
            trained=rule.trained,
        )

    def _checked(self, rule, kernel):
        """Returns V, with its shape validated: custom rules may err."""
        feedback_kernel = rule(kernel)
        if feedback_kernel is None:
            raise ValueError(
                f"Rule {type(rule).__name__} of layer '{self.name}' must return a "
                "feedback kernel: `call` has no `return`. Expected: a tensor of shape "
                f"{kernel.shape}. Received: None"
            )
        feedback_kernel = ops.convert_to_tensor(feedback_kernel)
        if tuple(feedback_kernel.shape) != tuple(kernel.shape):
            raise ValueError(
                f"Rule {type(rule).__name__} of layer '{self.name}' must return a "
                f"feedback kernel of the kernel's shape. Expected: {kernel.shape}. "
                f"Received: {feedback_kernel.shape}"
            )
        return feedback_kernel

    def _add_bias_and_activate(self, outputs):
        """Completes a convolutional layer's call after the product."""
        if self.use_bias:
            shape = [1] * len(outputs.shape)
            shape[-1 if self.data_format == "channels_last" else 1] = -1
            outputs = ops.add(outputs, ops.reshape(self.bias, shape))
        if self.activation is not None:
            outputs = self.activation(outputs)
        return outputs

    def enable_lora(self, *args, **kwargs):
        raise ValueError(
            self._refusal("LoRA") + f" Use keras.layers.{self.twin().__name__}."
        )

    def quantize(self, *args, **kwargs):
        raise ValueError(
            self._refusal("quantization")
            + " Train first, then quantize a Keras layer with the same weights."
        )

    def load_own_variables(self, store):
        if self.built and self._rules() and not store.keys():
            name, stock = type(self).__name__, self.twin().__name__
            raise ValueError(
                f"Expected the weights of layer '{self.name}' ({name}). Received: "
                "none, for Keras stores weights by the class of their layer. If they "
                f"are those of a model with {stock} layers, build that model, call its "
                "`load_weights`, then `keras_asymbp.asymmetrize(model)`."
            )
        super().load_own_variables(store)

    @classmethod
    def _refusal(cls, feature):
        return (
            f"{cls.__name__} does not support {feature}: its feedback kernel belongs "
            "to the kernel that is trained."
        )

    def get_config(self):
        config = super().get_config()
        config["feedback"] = feedbacks.serialize(self.feedback)
        return config


def check_updates(updates):
    """Checks a number of updates; the value of a tensor may not be known yet.

    Raises:
        ValueError: If it isn't an integer of 0 or more, or a scalar tensor of one.
    """
    if ops.is_tensor(updates) or isinstance(updates, keras.Variable):
        number = ops.convert_to_tensor(updates)
        is_valid = (
            keras.backend.is_int_dtype(number.dtype)
            and len(number.shape) == 0
            and (not has_value(number) or int(number) >= 0)
        )
    else:
        is_valid = is_count(updates, 0)
    if not is_valid:
        raise ValueError(
            "Argument `updates` must be an integer of 0 or more, or an integer tensor. "
            f"Received: updates={updates!r}"
        )


def _nothing():
    pass


def _training():
    """The argument `training` of the present call; None if nothing says it."""
    # Not `_get_call_context`: in a layer's own `stateless_call` it opens a context that
    # nobody closes, and later calls take their `training` from it.
    context = get_global_attribute("current_call_ctx")
    return None if context is None else context.get_value("training")


def _signature_with_feedback(cls):
    """Returns the Keras layer's signature with `feedback` and all of its keywords."""
    feedback = inspect.signature(AsymmetricLayer.__init__).parameters["feedback"]
    return extended(inspect.signature(cls.twin()), [feedback, *LAYER])
