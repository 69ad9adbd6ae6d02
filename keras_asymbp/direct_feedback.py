"""Direct feedback: the output's error, or the target, goes directly to each layer."""

from typing import Literal

import keras

from keras_asymbp.copying import copy, own_functions
from keras_asymbp.error_routes import DirectFeedback, StopError
from keras_asymbp.surgery import (
    asymmetric_parts,
    carry_over,
    check,
    kind,
    new_inputs,
    not_compiled,
    parts,
    twin_of,
)


def direct_feedback(
    model: keras.Model,
    stddev: float = 0.05,
    seed: int | None = None,
    signal: Literal["error", "target"] = "error",
) -> keras.Model:
    """Returns a model's twin that learns by direct feedback: DFA or DRTP.

    It has the same weights and outputs. Where a layer with a kernel would send the
    error dE/dX = (dE/dN) W^T to its inputs X, the twin sends

        dE/dX = e B,    B ~ N(0, stddev^2), drawn once

    with e = dE/dN of the last layer with a kernel, before its activation, and a matrix
    B for each layer. The gradients of W and b are unchanged: dE/dW = X^T dE/dN.
    Everything between these layers (activations, pooling, normalization, sums)
    backpropagates the error that reaches it. So e B, which arrives at the output of an
    activation f, is multiplied by f', and shortcuts carry the error as usual.

    That is direct feedback alignment (DFA). With `signal="target"` it is direct random
    target projection (DRTP): the layers below receive the target t, whatever the output
    is, and the last layer learns from its error as usual,

        dE/dX = s t B

    where s is the weight of the example in the loss, 1 / n in a mean over n. The target
    is read off the error e = s (p - t) of softmax or sigmoid and cross-entropy, in
    which exactly the targets of 1 have a negative element. So DRTP needs such a loss,
    with targets of 0 and 1: one-hot or class numbers for softmax. With others (label
    smoothing, soft targets, squared errors) it would send something else, which a
    compiled gradient can't refuse. An example whose error rounds to 0 sends nothing.

    A layer with a kernel is one that has an asymmetric form
    (`keras_asymbp.layers.LAYERS`) or creates such a layer in its own code. Those with
    nothing to train below them need no B.

    In the twin, the layer `"direct_feedback"` owns the matrices, and the last layer's
    activation is a separate layer. The twin is functional, not compiled, and without
    the methods of a subclass. `model.export` writes no B.

    Args:
        model (Model): A built functional or Sequential model with one output. Its
            asymmetric layers, if any, must have the rule `"BP"`.
        stddev (float): The standard deviation of B, 0 or more.
        seed (int | None): Integer in [0, 2^31), or None for one that follows
            `keras.utils.set_random_seed`. Each layer draws from its own stream.
        signal (str): What the layers below receive: `"error"` (DFA) or `"target"`
            (DRTP). For the target, the model ends with a softmax or sigmoid, or is
            linear: then its outputs are logits of softmax, as with `from_logits=True`.

    Returns:
        The new model; the old one is not changed.

    Raises:
        ValueError: If `stddev`, `seed` or `signal` is out of range; if the model isn't
            a Keras model, isn't built, is a subclassed model or contains another model;
            if it has several outputs, a layer with a rule, fewer than two layers with a
            kernel, unknown sizes, or a path from its input to its output past the last
            layer with a kernel; for the target, if it ends otherwise than stated above.

    >>> import keras
    >>> from keras_asymbp.direct_feedback import direct_feedback
    >>> hidden = keras.layers.Dense(5, "relu", name="hidden")
    >>> logits = keras.layers.Dense(3, "softmax", name="logits")
    >>> model = keras.Sequential([keras.Input((4,)), hidden, logits])
    >>> twin = direct_feedback(model)
    >>> [tuple(b.shape) for b in twin.get_layer("direct_feedback").weights]
    [(3, 5)]

    Sources: Nøkland, "Direct Feedback Alignment Provides Learning in Deep Neural
    Networks", NIPS 2016; Frenkel, Lefebvre and Bol, "Learning Without Feedback: Fixed
    Random Learning Signals Allow for Feedforward Training of Deep Neural Networks",
    2021. Its code sends the target with s = 1, and draws B by He's initializer.
    """
    if signal not in ("error", "target"):
        raise ValueError(
            "Argument `signal` must be 'error' or 'target'. Received: "
            f"signal={signal!r}"
        )
    check(model, "direct_feedback")
    trainable = model.trainable
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    last = _last(model)
    sent = "error" if signal == "error" else f"{_distribution(model, last)}_target"
    feedback = DirectFeedback(stddev, seed, sent, name="direct_feedback")
    surgery = _Surgery(last, feedback)
    with not_compiled(model):
        twin = keras.models.clone_model(
            model, new_inputs(model), surgery.copy, surgery.call
        )
    twin.trainable = trainable
    carry_over(surgery.pairs)
    return twin


class _Surgery:
    """The functions for `clone_model`: they copy layers and reroute their errors.

    Layers are called in order: the last layer with a kernel must be called after all
    others, or its error isn't that of the output.
    """

    def __init__(self, last, feedback):
        self.pairs = []
        self._last = last
        self._feedback = feedback
        self._activation = None  # that of the copy of the last layer
        self._stop = StopError(name="stop_error")
        self._copies = {}  # of tensors by id, with their errors stopped
        self._targets = []  # tensors that receive the error
        self._learned = set()  # ids of tensors that depend on trainable weights
        self._after = set()  # ids of tensors that depend on the last layer only

    def copy(self, layer):
        new = copy(layer)
        if layer is self._last:
            self._activation = _activation(new)
            if self._activation:
                new.activation = keras.activations.linear
        if isinstance(layer, keras.layers.Layer):
            self.pairs.append((new, layer))
        return new

    def call(self, layer, *args, **kwargs):
        inputs = {id(each): each for each in _tensors((args, kwargs))}
        weighted = _is_weighted(layer)
        if self._after and (weighted or not self._after.issuperset(inputs)):
            raise ValueError(
                "`direct_feedback` sends the error of the last layer with a kernel, so "
                "every path to the output must pass it, once. Expected: layers that "
                f"use its output only. Received: '{layer.name}' behind "
                f"'{self._last.name}'"
            )
        if weighted:
            args, kwargs = self._stopped(args, kwargs, inputs)
        outputs = layer(*args, **kwargs)
        if layer.name == self._last.name:
            outputs = self._feedback([outputs, *self._targets])
            if isinstance(self._activation, keras.layers.Layer):
                if not self._last.activation.built:  # Keras leaves it to a call
                    self._last.activation.build(outputs.shape)
                outputs = self._activation(outputs)
            elif self._activation:
                outputs = keras.layers.Activation(
                    self._activation,
                    name=f"{layer.name}_activation",
                    dtype=layer.dtype_policy,
                )(outputs)
        made = {id(each) for each in _tensors(outputs)}
        if layer.name == self._last.name or self._after:
            self._after |= made
        if _learns(layer) or self._learned & set(inputs):
            self._learned |= made
        return outputs

    def _stopped(self, args, kwargs, inputs):
        """Returns the arguments with their errors stopped, and makes them targets."""
        targets = {
            key: each
            for key, each in inputs.items()
            if key in self._learned and keras.backend.is_float_dtype(each.dtype)
        }
        self._targets += targets.values()
        return keras.tree.map_structure(
            lambda each: self._copy(each) if id(each) in targets else each,
            (args, kwargs),
        )

    def _copy(self, tensor):
        # One for all layers: Keras's attention takes the mask off its inputs, so that
        # the next layer finds none.
        if id(tensor) not in self._copies:
            self._copies[id(tensor)] = tensor, self._stop(tensor)
        return self._copies[id(tensor)][1]


def _last(model):
    """Returns the last layer with a kernel, after checking the model for DFA."""
    if len(model.outputs) != 1:
        raise ValueError(
            "`direct_feedback` takes a model with one output, whose error it sends. "
            f"Received: '{model.name}' with {len(model.outputs)} outputs"
        )
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            raise ValueError(
                "`direct_feedback` takes a model of layers: call the layers of "
                f"'{layer.name}' in '{model.name}' itself. Received: model "
                f"'{layer.name}' inside '{model.name}'"
            )
        for part in asymmetric_parts(layer):
            if not part.feedback.symmetric:
                raise ValueError(
                    "With direct feedback no error goes back through a layer's V. "
                    "Expected layers without a rule, or with 'BP': call "
                    "`direct_feedback(symmetrize(model))`. "
                    f"Received: layer '{part.name}' with {kind(part.feedback)}"
                )
    weighted = [layer for layer in model.layers if _is_weighted(layer)]
    if len(weighted) < 2:
        raise ValueError(
            "`direct_feedback` takes a model with at least two layers with kernels: "
            "the error goes from the last to the others. Received: "
            f"'{model.name}' with {len(weighted)}"
        )
    return weighted[-1]


def _distribution(model, last):
    """Returns the distribution of a model's outputs, "softmax" or "sigmoid"."""
    operations = model.operations  # layers, and operations such as `keras.ops.exp(x)`
    behind = operations[operations.index(last) + 1 :]
    ends = [_end(each) for each in (_activation(last), *behind) if each is not None]
    known = {
        keras.activations.softmax: "softmax",
        keras.activations.sigmoid: "sigmoid",
    }
    units = model.outputs[0].shape[-1]
    if len(ends) < 2 and (not ends or ends[0] in known):
        name = known[ends[0]] if ends else "softmax"
        if name == "sigmoid" or units != 1:
            return name
    raise ValueError(
        "`direct_feedback` reads the target off the error of softmax or sigmoid and "
        "cross-entropy. Expected: a last layer with a kernel that ends the model, with "
        "'softmax', 'sigmoid' or, for logits of softmax, no activation. Received: "
        f"'{last.name}' with {units} units, and then "
        f"{', '.join(map(_name, ends)) or 'nothing'}"
    )


def _end(layer):
    """Returns the activation that a layer is, or else the layer."""
    if isinstance(layer, keras.layers.Softmax) and layer.axis == -1:
        return keras.activations.softmax
    return layer.activation if isinstance(layer, keras.layers.Activation) else layer


def _name(end):
    return getattr(end, "name", getattr(end, "__name__", repr(end)))


def _is_weighted(layer):
    return isinstance(layer, keras.layers.Layer) and any(map(twin_of, parts(layer)))


def _learns(layer):
    """Whether a built layer has trainable weights, or would have if not frozen."""
    if not isinstance(layer, keras.layers.Layer):
        return False
    return bool(layer.weights if not layer.trainable else layer.trainable_weights)


def _activation(layer):
    """Returns a layer's activation function; None if it has none or is linear."""
    with own_functions(layer):
        changeable = layer.get_config().get("activation") is not None
    function = layer.activation if changeable else None
    return None if function is keras.activations.linear else function


def _tensors(structure):
    return [
        e for e in keras.tree.flatten(structure) if isinstance(e, keras.KerasTensor)
    ]
