"""An epoch as one program, on JAX: a `lax.scan` of the training step.

On an accelerator a step of these networks takes less time than Python needs to start
it.
"""

import functools

import jax
import keras
import numpy as np
from jax import numpy as jnp

from keras_asymbp.benchmarks.training import batches
from keras_asymbp.benchmarks.training.batches import Batches, Examples, Split
from keras_asymbp.benchmarks.training.feeding import feed


class EpochProgram:
    """Feeds a model epoch by epoch; the interface is that of `BatchByBatch`.

    The inputs stay on the device as they are stored, and batches are gathered there.
    The step is the model's own `train_step`, whatever callbacks have added to it. So is
    `fit`: it makes one step of an epoch.

    Args:
        model: A compiled model on JAX, with `steps_per_execution=1`.
    """

    whole_epochs = True

    def __init__(self, model: keras.Model):
        self._model = model
        self._stored = functools.lru_cache(3)(_stored)
        model.make_train_function = self._make_train_function
        model.make_test_function = self._make_test_function
        # `fit` would build what is not built, such as metrics, from an epoch's data.
        x, y = np.zeros((1, *model.input_shape[1:]), "float32"), np.zeros(1, "int32")
        build = model._symbolic_build
        model._symbolic_build = lambda iterator=None: build(data_batch=(x, y))
        model._symbolic_build()

    def training(
        self,
        examples: Examples,
        batch_size: int,
        seed: int,
        first_epoch: int = 0,
        augmentation: str | None = None,
    ):
        """Returns training data for `fit`, endless; see `batches.draw_epoch`."""
        stored = self._stored(examples.train)

        def get(number):
            epoch = batches.draw_epoch(
                *(examples, batch_size, seed, first_epoch + number, augmentation)
            )
            drawn = (examples.train.positions[epoch.examples], *(epoch.changes or ()))
            return ((*stored, [drawn]),)

        return feed(Batches(get, None))

    def evaluation(self, split: Split):
        """Returns data for `evaluate`, or validation data for `fit`."""
        data = self._in_order(split, split.positions, batches.EVALUATION_BATCH)
        return feed(Batches(lambda number: (data,), 1))

    def whole_pass(self, fed: keras.utils.PyDataset, number: int = 0):
        """Returns the data of one pass of what this feeds, as `statistics` does.

        Args:
            fed: `training` or `evaluation`.
            number: The epoch, counted from the first that is fed.
        """
        (data,) = fed[number]
        return data

    def statistics(self, examples: Examples, batch_size: int, count: int, seed: int):
        """Returns the data of one pass; see `batches.statistics_batches`."""
        order = batches.statistics_order(examples, batch_size, count, seed)
        split = examples.train
        return self._in_order(split, split.positions[order], batch_size)

    def _in_order(self, split, positions, size):
        whole = len(positions) // size * size
        parts = [
            (positions[:whole].reshape(-1, size),),
            (positions[whole:].reshape(1, -1),),
        ]
        return (*self._stored(split), [part for part in parts if part[0].size])

    def _make_train_function(self, force=False):
        if force or self._model.train_function is None:
            self._model.train_function = _program(self._model.train_step)

    def _make_test_function(self, force=False):
        if force or self._model.test_function is None:
            self._model.test_function = _program(self._model.test_step)


def _stored(split):
    """The arrays of a split, on the device."""
    arrays = split.inputs, split.labels, split.scale, split.mean
    return tuple(map(jnp.asarray, arrays))


def _program(step):
    """A function like Keras's `train_function`, of the data of a whole epoch."""
    epoch = jax.jit(over_batches(step), donate_argnums=0)

    def run(state, iterator):
        (data,) = next(iterator)
        return epoch(state, data)

    return run


def over_batches(step):
    """A step over all batches of a pass; it returns the last logs and the state."""

    def run(state, data):
        inputs, labels, scale, mean, parts = data

        def one(state, drawn):
            positions, *changes = drawn
            x = inputs[positions].astype("float32") * scale - mean
            if changes:
                x = batches.augmented(x, *changes, xp=jnp)
            logs, state = step(state, (x, labels[positions]))
            return tuple(map(list, state)), logs

        state = tuple(map(list, state))
        for part in parts:
            state, logs = jax.lax.scan(one, state, part)
        return {name: values[-1] for name, values in logs.items()}, state

    return run
