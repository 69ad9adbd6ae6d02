"""Compares scalings of the weight decay: python -m benchmarks.weight_decay

The paper gives the weight decay no value. Candidates: none, MatConvNet's 5e-4 beside
the sum of the gradients as the paper writes it, and 0.05, MatConvNet's balance
between the decay and a gradient that is the mean of 100 examples.
"""

import os

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import dataclasses
import statistics

from absl import app, flags

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.escaping import markdown
from keras_asymbp.benchmarks.tables import experiments
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.protocol import Protocol, score
from keras_asymbp.benchmarks.training.batches import prepare
from keras_asymbp.benchmarks.training.trainer import Trainer

_MODELS = flags.DEFINE_list("models", ["SGD", "uSF+BN+BM"], "Models of experiment A.")
_EPOCHS = flags.DEFINE_integer("epochs", 12, "Epochs of a run.", lower_bound=1)
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds of each model.")

DECAYS = (0.0, 5e-4, 5e-2)
LEARNING_RATES = (5e-3, 5e-4, 5e-5)


def main(argv):
    del argv
    dataset = datasets.get("mnist_5k")
    protocol = Protocol(epochs=_EPOCHS.value, learning_rates=LEARNING_RATES)
    examples = prepare(dataset.load(), protocol.input_scale)
    titles = ("model", "weight decay", "error, %, of each seed", "mean")
    print(markdown.table(titles, (), alignment="lrlr"))
    ((_, columns),) = experiments.select([experiments.get("A")], _MODELS.value)
    for column in columns:
        for decay in DECAYS:
            with_decay = dataclasses.replace(protocol, weight_decay=decay)
            errors = [
                best_error(
                    Cell(dataset, dataset.version(), column, with_decay, seed), examples
                )
                for seed in map(int, _SEEDS.value)
            ]
            of_seeds = ", ".join(map(str, errors))
            mean = f"{statistics.fmean(errors):.2f}"
            row = markdown.row([column.name, f"{decay:g}", of_seeds, mean])
            print(row, flush=True)


def best_error(cell, examples):
    """The error of a cell's best learning rate, in percent."""
    trainer = Trainer(cell, examples)
    best = min(map(trainer.train, cell.trials()), key=score)
    return round(100 * best["best_error"], 2)


if __name__ == "__main__":
    app.run(main)
