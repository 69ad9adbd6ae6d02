import contextlib
from typing import Any

import keras
from keras import ops

from keras_asymbp._switch import redrawn
from keras_asymbp.backend import around_train_step
from keras_asymbp.callbacks.updates import Updates, is_stock
from keras_asymbp.feedbacks.base import overrides
from keras_asymbp.layers import asymmetric_layers, rules_with
from keras_asymbp.layers.base import check_updates


def redraw_feedback(model: keras.layers.Layer, updates: Any = 1) -> None:
    """Redraws the batchwise random feedback of a model: call it after each update.

    For a training loop of your own, inside or outside of a `tf.function`, under
    `jax.jit` in a `keras.StatelessScope`; in `fit`, use `RedrawFeedback`. Rules without
    batchwise randomness stay as they are.

    Args:
        model (Model | Layer): A `keras.Model` or layer, nested ones included.
        updates (int | tensor): Number of weight updates since the last call, an integer
            of 0 or more or an integer tensor.

    Raises:
        ValueError: If an argument isn't one of these.

    >>> import keras
    >>> import keras_asymbp
    >>> layer = keras_asymbp.AsymDense(2, feedback="brSF")
    >>> model = keras.Sequential([keras.Input((3,)), layer])
    >>> before = layer.feedback_kernel
    >>> keras_asymbp.redraw_feedback(model)
    >>> bool(keras.ops.any(layer.feedback_kernel == before))
    False
    """
    check_updates(updates)
    for rule, kernel in rules_with(model, "redraw"):
        rule.redraw(kernel, updates)


class RedrawFeedback(keras.callbacks.Callback):
    """Redraws batchwise random feedback (`brSF`) exactly once for each weight update.

    Keras calls a callback once per `steps_per_execution` steps, so the redraw is added
    to the end of the model's `train_step`, where it stays in later calls of `fit`. It
    follows the optimizer's count of updates: steps that accumulate gradients or that
    loss scaling skips draw nothing. `evaluate` and `predict` never draw.

    A `train_step` of your own may step several optimizers, as that of a GAN does: a
    layer then draws once for each update of the optimizer that has its kernel. If it
    changes W without an optimizer, each change draws once.

    Models without such a rule are unaffected.

    Raises:
        ValueError: In `fit`, if the model is trained on several replicas
            (`tf.distribute`) with `steps_per_execution` above 1, which Keras doesn't
            support.

    >>> import keras
    >>> import keras_asymbp
    >>> layer = keras_asymbp.AsymDense(1, feedback="brSF")
    >>> model = keras.Sequential([keras.Input((3,)), layer])
    >>> model.compile("batch_manhattan", "mse")
    >>> x, y = keras.ops.ones((20, 3)), keras.ops.ones((20, 1))
    >>> history = model.fit(x, y, callbacks=[keras_asymbp.RedrawFeedback()], verbose=0)

    Source: settings 2 and 4, section 2, Liao et al. 2016.
    """

    def on_train_begin(self, logs=None):
        model = self.model
        strategy = getattr(model, "distribute_strategy", None)
        replicas = strategy.num_replicas_in_sync if strategy else 1
        if replicas > 1 and model.steps_per_execution > 1:
            raise ValueError(
                "Keras can't run several steps per execution on several replicas. "
                "Compile the model with steps_per_execution=1. Received: "
                f"steps_per_execution={model.steps_per_execution}, {replicas} replicas"
            )
        layers = [
            x for x in asymmetric_layers(model) if overrides(x.feedback, "redraw")
        ]
        for layer in layers:
            layer.catch_up_feedback()
        # The first step may create layers.
        needed = layers or not model.built
        if not needed or getattr(model.train_step, "redraws_feedback", False):
            return
        model.train_step = _with_redraw(model, model.train_step)
        model.make_train_function(force=True)


def _with_redraw(model, train_step):
    """Returns `train_step`, followed by one redraw for each of its updates."""
    # Looking for changes of W takes a good part of a step.
    trusting = redrawn if is_stock(train_step) else contextlib.nullcontext

    def before():
        pairs = rules_with(model, "redraw")
        updates = Updates(model, train_step, [kernel for _, kernel in pairs])
        return updates, {id(rule): rule.draw_number for rule, _ in pairs}

    def after(seen):
        updates, draws = seen
        for rule, kernel in rules_with(model, "redraw"):  # the step may build layers
            by_itself = rule.draw_number - draws.get(id(rule), 0)
            count = ops.cast(updates.of(kernel), "int32")
            rule.redraw(kernel, ops.maximum(count - ops.cast(by_itself, "int32"), 0))

    step = around_train_step(model, train_step, trusting, before, after)
    step.redraws_feedback = True
    return step
