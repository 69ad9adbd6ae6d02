"""The models and data to time: Table 1's networks, stock and asymmetric."""

import time

import keras
import numpy as np

import keras_asymbp
from benchmarks.speed.measure import Options, Taken
from keras_asymbp.benchmarks import networks
from keras_asymbp.benchmarks.datasets import Arrays
from keras_asymbp.benchmarks.training import batches, build, feeding

BATCH = 100
# Steps of an epoch of `fit`, which takes a fraction of a second to a few seconds.
STEPS = {"mnist": 40, "cifar": 10, "timit": 80, "svhn": 4, "large": 2}
# Maximum number of steps for each execution, as in the trainer.
_STEPS_PER_EXECUTION = 10
# Weights hardly move under any rule, so that nothing diverges.
RATE = 1e-6


def classes(name: str) -> int:
    return {"timit": 80, "large": 80, "transformer": 36}.get(name, 10)


def stock(name: str) -> keras.Model:
    """A network of Table 1 in stock Keras layers, trained by backpropagation."""
    return keras_asymbp.symmetrize(build.build(name, classes(name)))


def asymmetric(name: str, rule: str) -> keras.Model:
    """A network of Table 1 in asymmetric layers."""
    return build.build(name, classes(name), feedback=rule)


def sgd() -> keras.optimizers.Optimizer:
    return keras.optimizers.SGD(RATE, momentum=0.9)


def examples(name: str, train: int, test: int = 1) -> batches.Examples:
    """Random examples of a network's shape, in the suite's form."""
    return random_examples(networks.get(name).input_shape, classes(name), train, test)


def random_examples(shape, num_classes, train, test=1) -> batches.Examples:
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 256, (train + test, *shape), dtype=np.uint8)
    labels = rng.integers(0, num_classes, train + test)
    arrays = Arrays(inputs[:train], labels[:train], inputs[train:], labels[train:])
    return batches.prepare(arrays, 1 / 255)


class Fit:
    """A call runs one epoch of `fit` and returns the time of a step.

    The clock runs from the beginning to the end of the epoch, with the suite's input
    pipeline; the work of `fit` before and after it is excluded.

    Args:
        model: The model, which is compiled here.
        optimizer: The optimizer to compile it with.
        data: The training examples.
        options: On a GPU, XLA compiles the model.
        batch: Batch size.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        data: batches.Examples,
        options: Options,
        batch: int = BATCH,
    ):
        self.model, self._batch, self._data = model, batch, data
        self.steps = batches.batches_per_epoch(data, batch)
        most = min(self.steps, _STEPS_PER_EXECUTION)
        model.compile(
            optimizer,
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            steps_per_execution=max(
                n for n in range(1, most + 1) if self.steps % n == 0
            ),
            jit_compile=options.device == "gpu",
        )

    def __call__(self) -> Taken:
        clock = _EpochClock()
        self.model.fit(
            feeding.BatchByBatch().training(self._data, self._batch, 0),
            steps_per_epoch=self.steps,
            shuffle=False,
            verbose=0,
            # As users attach it; it does nothing to a model without random feedback.
            callbacks=[keras_asymbp.RedrawFeedback(), clock],
        )
        return Taken(clock.wall / self.steps, clock.cpu / self.steps)


class _EpochClock(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        float(logs["loss"])  # waits for a GPU
        self.wall = time.perf_counter() - self._start[0]
        self.cpu = time.process_time() - self._start[1]
