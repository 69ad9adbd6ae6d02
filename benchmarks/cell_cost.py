"""Measures what an update and a forward pass of each network cost on one core.

    TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 taskset -c 0 \
        python -m benchmarks.cell_cost

It gives the figures of `keras_asymbp/benchmarks/run/costs.py`. Each is taken by the
suite's own trainer from epochs of three sizes, measured in turns: their differences are
updates and forward passes alone. The median of the rounds counts.
"""

import dataclasses
import os
import statistics
import time

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras

from benchmarks.speed import workloads
from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.networks import TABLE_1
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.tables.protocol import Protocol
from keras_asymbp.benchmarks.training.trainer import Trainer

# Training and test examples of an epoch: a base, more updates, more forward passes.
SIZES = ((500, 500), (1500, 500), (500, 2500))
ROUNDS = 5


def main():
    print(f"load average {os.getloadavg()[0]:.2f}")
    for name in TABLE_1:
        for normalization in (None, "BN"):
            update, forward = measure(name, normalization)
            print(
                f'("{name}", {normalization is not None}): '
                f"Cost(update={update:.4f}, forward={forward:.4f}),",
                flush=True,
            )


def measure(name, normalization):
    keras.utils.clear_session()
    column = Column("uSF", rule="uSF", normalization=normalization, setting=1)
    classes = workloads.classes(name)
    dataset = dataclasses.replace(
        datasets.get("mnist_5k"), num_classes=classes, network=name
    )
    protocol = Protocol(epochs=1, learning_rates=(5e-6,))
    cell = Cell(dataset, "1", column, protocol, seed=0)
    data = [workloads.examples(name, *size) for size in SIZES]
    trainer = Trainer(cell, data[0])
    (trial,) = cell.trials()
    times = [[] for _ in SIZES]
    for number in range(ROUNDS + 1):
        for some, taken in zip(data, times, strict=True):
            assert trainer.take_up(cell, some)
            start = time.perf_counter()
            trainer.train(trial)
            if number:  # the first round traces
                taken.append(time.perf_counter() - start)
    base, updates, forwards = map(statistics.median, times)
    return (
        (updates - base) / ((SIZES[1][0] - SIZES[0][0]) / 100),
        (forwards - base) / ((SIZES[2][1] - SIZES[0][1]) / 100),
    )


if __name__ == "__main__":
    main()
