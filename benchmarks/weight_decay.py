"""Compares scalings of the weight decay: python -m benchmarks.weight_decay

The paper gives the weight decay no value. Candidates: none, MatConvNet's 5e-4 beside
the sum of the gradients as the paper writes it, and 0.05, MatConvNet's balance
between the decay and a gradient that is the mean of 100 examples.
"""

import os

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import dataclasses
import statistics

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.tables import experiments
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.protocol import Protocol, score
from keras_asymbp.benchmarks.training.batches import prepare
from keras_asymbp.benchmarks.training.trainer import Trainer

COLUMNS = ("SGD", "uSF+BN+BM")
DECAYS = (0.0, 5e-4, 5e-2)
SEEDS = (0, 1, 2)
PROTOCOL = Protocol(epochs=12, learning_rates=(5e-3, 5e-4, 5e-5))


def main():
    dataset = datasets.get("mnist_5k")
    examples = prepare(dataset.load(), PROTOCOL.input_scale)
    print("| model | weight decay | error, %, of each seed | mean |\n|:--|--:|:--|--:|")
    ((_, columns),) = experiments.select([experiments.get("A")], list(COLUMNS))
    for column in columns:
        for decay in DECAYS:
            protocol = dataclasses.replace(PROTOCOL, weight_decay=decay)
            errors = []
            for seed in SEEDS:
                cell = Cell(dataset, dataset.version(), column, protocol, seed)
                errors.append(best_error(cell, examples))
            print(
                f"| {column.name} | {decay:g} | {', '.join(map(str, errors))} "
                f"| {statistics.fmean(errors):.2f} |",
                flush=True,
            )


def best_error(cell, examples):
    """The error of a cell's best learning rate, in percent."""
    trainer = Trainer(cell, examples)
    best = min(map(trainer.train, cell.trials()), key=score)
    return round(100 * best["best_error"], 2)


if __name__ == "__main__":
    main()
