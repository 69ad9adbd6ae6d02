"""Compares scalings of the weight decay.

    python -m benchmarks.weight_decay --json FILE

The paper gives the weight decay no value. Candidates: none, MatConvNet's 5e-4 beside
the sum of the gradients as the paper writes it, and 0.05, MatConvNet's balance
between the decay and a gradient that is the mean of 100 examples. `--read FILE` prints
the table of recorded figures.
"""

import dataclasses
import statistics

from absl import flags

from benchmarks import measurements
from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.commands.flags.values import distinct, integer
from keras_asymbp.benchmarks.escaping import markdown
from keras_asymbp.benchmarks.tables import experiments, readings
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.protocol import Protocol, score
from keras_asymbp.benchmarks.training.batches import prepare
from keras_asymbp.benchmarks.training.trainer import Trainer

_MODELS = flags.DEFINE_list("models", ["SGD", "uSF+BN+BM"], "Models of experiment A.")
_EPOCHS = flags.DEFINE_integer("epochs", 12, "Epochs of a run.", lower_bound=1)
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds of each model.")
_JSON = flags.DEFINE_string("json", None, "File for the figures.")
_READ = flags.DEFINE_string("read", None, "File of recorded figures to print.")

DECAYS = (0.0, 5e-4, 5e-2)
LEARNING_RATES = (5e-3, 5e-4, 5e-5)


def main() -> None:
    program.start(_run, "python -m benchmarks.weight_decay", __doc__)


def _run():
    if _READ.value:
        print(table(measurements.read(_READ.value)["rows"]))
        return
    seeds = distinct(integer("seed", text) for text in _SEEDS.value)
    dataset = datasets.get("mnist_5k")
    protocol = Protocol(epochs=_EPOCHS.value, learning_rates=LEARNING_RATES)
    examples = prepare(dataset.load(), protocol.input_scale)
    ((_, columns),) = experiments.select([experiments.get("A")], _MODELS.value)
    rows = []
    for column in columns:
        for decay in DECAYS:
            with_decay = dataclasses.replace(protocol, weight_decay=decay)
            errors = [
                best_error(
                    Cell(dataset, dataset.version(), column, with_decay, seed), examples
                )
                for seed in seeds
            ]
            rows.append({"model": column.name, "weight_decay": decay, "errors": errors})
    print(table(rows))
    if _JSON.value:
        settings = {"epochs": protocol.epochs, "reading": readings.of(protocol).name}
        record = measurements.describe() | settings | {"rows": rows}
        measurements.write(record, _JSON.value)


def table(rows):
    """Returns the errors of each model and weight decay as a table."""
    return markdown.table(
        ["model", "weight decay", "error, %, of each seed", "mean"],
        (
            (
                row["model"],
                f"{row['weight_decay']:g}",
                ", ".join(f"{error:.2f}" for error in row["errors"]),
                f"{statistics.fmean(row['errors']):.2f}",
            )
            for row in rows
        ),
        alignment="lrlr",
    )


def best_error(cell, examples):
    """The error of a cell's best learning rate, in percent."""
    trainer = Trainer(cell, examples)
    best = min(map(trainer.train, cell.trials()), key=score)
    return round(100 * best["best_error"], 2)


if __name__ == "__main__":
    main()
