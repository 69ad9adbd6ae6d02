"""Five learning rates in one cell against one plain `fit` of as many epochs.

Both train on mnist_5k and begin without a model, so that both include building and
tracing. The cell's time includes all work of the command: evaluation, statistics of the
normalization, keras-tuner, storing. The plain `fit` is stock Keras on arrays in memory,
with a validation after each epoch and the suite's sizes of batches and executions.
"""

import tempfile
from collections.abc import Iterator

import keras
import numpy as np

import keras_asymbp
from benchmarks.speed import workloads
from benchmarks.speed.measure import Options, interleaved
from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.tables import experiments
from keras_asymbp.benchmarks.tables.cells import Cell, Task
from keras_asymbp.benchmarks.tables.protocol import PRESETS
from keras_asymbp.benchmarks.training import batches, build
from keras_asymbp.benchmarks.training.workbench import Workbench

TITLE = "A search over five rates against one plain fit"
GOAL = 5.2
# The model with all parts, statistics of the normalization included.
MODELS = ("uSF+BN+BM",)


def rows(options: Options) -> Iterator[dict]:
    """A row for each model: the search's time over the plain fit's."""
    dataset, protocol = datasets.get("mnist_5k"), PRESETS[options.preset]
    ((_, columns),) = experiments.select([experiments.get("A")], list(MODELS))
    arrays = _inputs(batches.prepare(dataset.load(), protocol.input_scale))
    for column in columns:
        cell = Cell(dataset, dataset.version(), column, protocol, seed=0)
        rates = len(protocol.learning_rates)
        contestants = {
            "search": lambda cell=cell: _search(cell),
            "plain": lambda cell=cell: _plain(cell, arrays, options),
        }
        result = interleaved(contestants, options.rounds)
        yield from result.times(column.name, "s")
        yield result.row(
            result.ratios("search", "plain"),
            case=column.name,
            name=f"{rates} rates / plain fit",
            unit="x plain fit",
            # The goal is for the paper's five rates.
            goal=GOAL if rates == 5 else None,
            sense="at most",
            note=f"{protocol.epochs} epochs",
        )


def _search(cell):
    with tempfile.TemporaryDirectory() as folder:
        bench = Workbench(None, "benchmarks.speed", results_dir=folder)
        bench.run(Task(cell, tuple(cell.trials())), lambda *what: None)


def _plain(cell, arrays, options):
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    model = stock(cell.network, cell.column.normalization)
    x_train, y_train, x_test, y_test = arrays
    model.compile(
        workloads.sgd(),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=10,
        jit_compile=options.device == "gpu",
    )
    model.fit(
        x_train,
        y_train,
        batch_size=cell.protocol.batch_size,
        epochs=cell.protocol.epochs,
        validation_data=(x_test, y_test),
        validation_batch_size=batches.EVALUATION_BATCH,
        verbose=0,
    )


def stock(name: str, normalization: str | None) -> keras.Model:
    """A network of stock layers, its batch normalization Keras's own."""
    model = keras_asymbp.symmetrize(
        build.build(name, workloads.classes(name), normalization=normalization)
    )

    def convert(layer):
        if isinstance(layer, keras_asymbp.BatchNormalization):
            return keras.layers.BatchNormalization(center=False, scale=False)
        return type(layer).from_config(layer.get_config())

    return keras.models.clone_model(model, clone_function=convert)


def _inputs(examples):
    """Arrays of a data set, as the networks' inputs."""
    arrays = []
    for split in (examples.train, examples.test):
        arrays += split.batch(np.arange(len(split)))
    return arrays
