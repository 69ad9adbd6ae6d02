import keras
import tensorflow as tf

from keras_asymbp._switch import mirroring
from keras_asymbp.feedbacks import Feedback
from keras_asymbp.layers import asymmetric_layers

_BATCH = 100


def mirror_feedback(model, inputs=None, steps=1):
    """Runs steps of a mirror phase: V learns from noise, and nothing else changes.

    For a training loop of your own; in `fit`, use `MirrorFeedback`. In each step every
    layer with a mirroring rule (`WM`) receives its own noise and learns from its
    response. Other rules stay as they are.

    Args:
        model: A built `keras.Model` or layer, nested ones included.
        inputs: A batch of inputs of the model. Only the shapes count: each layer's
            noise has the shape of its inputs, and a larger batch makes V fluctuate
            less. By default a batch of 100.
        steps: Number of steps, an integer of 0 or more.

    Raises:
        ValueError: If `inputs` is None and the model's inputs have no fixed shape.

    >>> import keras
    >>> import keras_asymbp
    >>> layer = keras_asymbp.AsymDense(2, feedback="WM")
    >>> model = keras.Sequential([keras.Input((3,)), layer])
    >>> before = layer.feedback_kernel
    >>> keras_asymbp.mirror_feedback(model)
    >>> bool((layer.feedback_kernel == before).numpy().any())
    False
    """
    step = _step(model, inputs)
    for _ in range(steps):
        step()


class MirrorFeedback(keras.callbacks.Callback):
    """Runs a mirror phase before each epoch, in which V learns W from noise (`WM`).

    A phase changes neither weights nor the statistics of batch normalization. Models
    without a mirroring rule are unaffected.

    Within an epoch V is constant while W is trained. If W moves far in one epoch, as
    with large learning rates, training may diverge: with `steps_per_update` V follows
    each update, at the cost of these extra steps.

    Args:
        steps: Number of steps of a phase, an integer of 1 or more.
        inputs: A batch of inputs of the model; see `mirror_feedback`.
        steps_per_update: Number of steps after each update of W, an integer of 0 or
            more. With `steps_per_execution` above 1, the steps for all updates of an
            execution run after it.

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

    def __init__(self, steps=100, inputs=None, steps_per_update=0):
        super().__init__()
        if not _is_count(steps, 1):
            raise ValueError(
                "Argument `steps` must be an integer of 1 or more. "
                f"Received: steps={steps}"
            )
        if not _is_count(steps_per_update, 0):
            raise ValueError(
                "Argument `steps_per_update` must be an integer of 0 or more. "
                f"Received: steps_per_update={steps_per_update}"
            )
        self.steps = steps
        self.inputs = inputs
        self.steps_per_update = steps_per_update

    def set_model(self, model):
        if model is not self.model:
            self._step = None
        super().set_model(model)

    def on_epoch_begin(self, epoch, logs=None):
        if not any(map(_mirrors, asymmetric_layers(self.model))):
            return
        self._step = self._step or _step(self.model, self.inputs)
        for _ in range(self.steps):
            self._step()
        self._updates = self._count()

    def on_train_batch_end(self, batch, logs=None):
        if not self._step or not self.steps_per_update:
            return
        before, self._updates = self._updates, self._count()
        for _ in range((self._updates - before) * self.steps_per_update):
            self._step()

    def _count(self):
        return int(self.model.optimizer.iterations)


def _is_count(number, least):
    return isinstance(number, int) and not isinstance(number, bool) and number >= least


def _step(model, inputs):
    """Returns a step of a mirror phase, a function that is compiled once."""
    if inputs is None:
        inputs = _zeros(model)
    inputs = keras.tree.map_structure(tf.convert_to_tensor, inputs)

    @tf.function
    def step():
        with mirroring():
            model(inputs, training=False)

    return step


def _zeros(model):
    """Returns a batch of zeros for a model."""
    tensors = getattr(model, "inputs", None)
    if not tensors or any(None in tensor.shape[1:] for tensor in tensors):
        raise ValueError(
            f"The inputs of model '{model.name}' have no fixed shape, so the shape of "
            "a mirror phase's noise is unknown. Give a batch of inputs as `inputs`."
        )
    zeros = [tf.zeros((x.shape[0] or _BATCH, *x.shape[1:]), x.dtype) for x in tensors]
    return zeros if len(zeros) > 1 else zeros[0]


def _mirrors(layer):
    return type(layer.feedback).mirror is not Feedback.mirror
