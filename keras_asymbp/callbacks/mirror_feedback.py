from typing import Any

import keras
from keras import ops

from keras_asymbp._calls import compiled_call
from keras_asymbp._numbers import check_count
from keras_asymbp._state import of_rules, unchanged, untrained, without
from keras_asymbp._subjects import check_layer
from keras_asymbp._switch import backpropagation, mirroring
from keras_asymbp.callbacks.updates import Updates
from keras_asymbp.feedbacks.base import overrides
from keras_asymbp.layers import asymmetric_layers, rules_with

_BATCH = 100


def mirror_feedback(model: keras.Model, inputs: Any = None, steps: int = 1) -> None:
    """Runs steps of a mirror phase: V learns from noise, and nothing else changes.

    For a training loop of your own; in `fit`, use `MirrorFeedback`. In each step every
    layer with a mirroring rule (`WM`) receives its own noise and learns from its
    response. Other rules stay as they are; what else a call changes, such as the states
    of a stateful recurrent layer, is restored. The model's call is traced once, however
    often this function is called.

    Args:
        model (Model | Layer): A `keras.Model` or layer, nested ones included; it is
            built for `inputs` if it isn't yet.
        inputs (tensors | None): A batch of inputs, in the structure that the model
            takes (a tensor, a list, a dictionary). Only the shapes count: each layer's
            noise has the shape of its inputs, and a larger batch makes V fluctuate
            less. By default a batch of 100.
        steps (int): Number of steps, an integer of 0 or more.

    Raises:
        ValueError: If the model isn't a model or layer of Keras, if `steps` isn't an
            integer of 0 or more, or if `inputs` is None and the model's inputs have no
            fixed shape.

    >>> import keras
    >>> import keras_asymbp
    >>> layer = keras_asymbp.AsymDense(2, feedback="WM")
    >>> model = keras.Sequential([keras.Input((3,)), layer])
    >>> before = layer.feedback_kernel
    >>> keras_asymbp.mirror_feedback(model)
    >>> bool(keras.ops.any(layer.feedback_kernel == before))
    False
    """
    check_layer(model)
    check_count("steps", steps, 0)
    batch = _inputs(model, inputs)
    _build(model, batch)
    _run(model, batch, steps)


class MirrorFeedback(keras.callbacks.Callback):
    """Runs a mirror phase before each epoch, in which V learns W from noise (`WM`).

    A phase changes neither weights nor the statistics of batch normalization. Models
    without a mirroring rule are unaffected.

    Within an epoch V is constant while W is trained. If W moves far in one epoch, as
    with large learning rates, training may diverge: with `steps_per_update` V follows
    each update, at the cost of these extra steps.

    Args:
        steps (int): Number of steps of a phase, an integer of 1 or more.
        inputs (tensors | None): A batch of inputs of the model; see `mirror_feedback`.
        steps_per_update (int): Number of steps after each update of W, an integer of 0
            or more. Updates are counted as `RedrawFeedback` counts them; if the model's
            own `train_step` has several optimizers, the most updates of a layer with a
            mirroring rule count. With `steps_per_execution` above 1, the steps for all
            updates of an execution run after it.

    Raises:
        ValueError: If `steps` isn't an integer of 1 or more, or `steps_per_update` one
            of 0 or more; in `fit`, if `inputs` is None and the model's inputs have no
            fixed shape.

    >>> import keras
    >>> import keras_asymbp
    >>> layer = keras_asymbp.AsymDense(1, feedback="WM")
    >>> model = keras.Sequential([keras.Input((3,)), layer])
    >>> model.compile("sgd", "mse")
    >>> x, y = keras.ops.ones((20, 3)), keras.ops.ones((20, 1))
    >>> mirror = keras_asymbp.MirrorFeedback(steps=50)
    >>> history = model.fit(x, y, callbacks=[mirror], verbose=0)

    Source: Akrout et al., "Deep Learning without Weight Transport", 2019, section 3.
    """

    def __init__(
        self, steps: int = 100, inputs: Any = None, steps_per_update: int = 0
    ) -> None:
        super().__init__()
        check_count("steps", steps, 1)
        check_count("steps_per_update", steps_per_update, 0)
        self.steps = steps
        self.inputs = inputs
        self.steps_per_update = steps_per_update

    def on_train_begin(self, logs=None):
        self._updates = None

    def on_epoch_begin(self, epoch, logs=None):
        if self.inputs is not None:
            _build(self.model, self.inputs)
        layers = asymmetric_layers(self.model)
        if not any(overrides(layer.feedback, "mirror") for layer in layers):
            return
        self._batch = _inputs(self.model, self.inputs)
        _run(self.model, self._batch, self.steps)
        if self.steps_per_update:
            self._updates = self._count_updates()

    def on_train_batch_end(self, batch, logs=None):
        if self._updates is None:
            return
        rules = rules_with(self.model, "mirror")
        count = max(int(self._updates.of(kernel)) for _, kernel in rules)
        _run(self.model, self._batch, count * self.steps_per_update)
        self._updates = self._count_updates()

    def _count_updates(self):
        kernels = [kernel for _, kernel in rules_with(self.model, "mirror")]
        return Updates(self.model, self.model.train_step, kernels)


def _run(model, inputs, steps):
    """Runs steps of a mirror phase, and restores all state but that of rules."""
    if not steps:
        return
    # Without a V in use no backward pass is prepared.
    call = compiled_call(model, switches=(mirroring, backpropagation))
    step = call.prepare(inputs)
    with unchanged(without(untrained(model), of_rules(model))):
        for _ in range(steps):
            step()


def _inputs(model, inputs):
    """Returns a batch of inputs of the model; by default zeros."""
    if inputs is not None:
        return inputs
    tensors = getattr(model, "inputs", None)
    if not tensors or any(None in tensor.shape[1:] for tensor in tensors):
        raise ValueError(
            f"The inputs of model '{model.name}' have no fixed shape, so the shape of "
            "a mirror phase's noise is unknown. Give a batch of inputs as `inputs`."
        )
    return keras.tree.map_structure(
        lambda x: ops.zeros((x.shape[0] or _BATCH, *x.shape[1:]), x.dtype),
        getattr(model, "input", tensors[0]),  # a Sequential has none
    )


def _build(model, inputs):
    """Builds the layers that are not yet built, as `fit` may do in its first step."""
    if all(layer.built for layer in model._flatten_layers()):
        return
    shapes = keras.tree.map_structure(
        lambda x: keras.KerasTensor(x.shape, keras.backend.standardize_dtype(x.dtype)),
        keras.tree.map_structure(ops.convert_to_tensor, inputs),
    )
    model(shapes)
