"""Measures what an update and a forward pass of each network cost on one core.

    TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 taskset -c 0 \
        python -m benchmarks.cell_cost

These are the figures of `keras_asymbp/benchmarks/run/costs.py`. The suite's own trainer
runs epochs of three sizes in turn; their differences are updates and forward passes
alone. A figure is the median of the rounds. Small networks need `--more 9000`: the
difference of 10 of their updates is lost in the noise of an epoch.
"""

import dataclasses
import os
import statistics
import time

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from absl import app, flags

from benchmarks.speed import workloads
from keras_asymbp.benchmarks import datasets, networks
from keras_asymbp.benchmarks.depth.study import DEPTHS
from keras_asymbp.benchmarks.networks import FAMILIES, TABLE_1
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.tables.protocol import Protocol
from keras_asymbp.benchmarks.training.trainer import Trainer

# Table 1's, the depth study's, and those of FA-bench and Text.
NAMES = (
    *TABLE_1,
    *(
        family.network(depth)
        for family in FAMILIES.values()
        for depth in DEPTHS
        if depth in family.depths
    ),
    *("lenet-mnist", "lenet-cifar", "resnet-20", "transformer"),
)
# Networks that no experiment trains with batch normalization, or without it.
_ONCE = {"resnet-20": True, "transformer": False}

_NETWORKS = flags.DEFINE_list("networks", list(NAMES), "Networks to measure.")
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Measurements of each figure.", 1)
_MORE = flags.DEFINE_integer("more", 1000, "Examples by which epochs differ.", 100)

_BASE = 500  # training examples of the shortest epoch, and test examples


def main(argv):
    del argv
    print(f"load average {os.getloadavg()[0]:.2f}")
    for name in _NETWORKS.value:
        for normalized in (_ONCE[name],) if name in _ONCE else (False, True):
            update, forward = measure(name, normalized)
            print(
                f'("{name}", {normalized}): '
                f"Cost(update={update:.4f}, forward={forward:.4f}),",
                flush=True,
            )


def measure(name, normalized):
    """Seconds of an update, and of the forward pass of a batch of 100."""
    keras.utils.clear_session()
    own = networks.get(name).normalization
    column = Column(
        "uSF",
        rule="uSF",
        normalization="BN" if normalized and not own else None,
        setting=1,
        # As its experiment has it.
        optimizer="Adam" if name == "transformer" else None,
    )
    classes = workloads.classes(name)
    dataset = dataclasses.replace(
        datasets.get("mnist_5k"), num_classes=classes, network=name
    )
    protocol = Protocol(epochs=1, learning_rates=(5e-6,))
    cell = Cell(dataset, "1", column, protocol, seed=0)
    more = _MORE.value
    # A base, more updates, more forward passes.
    sizes = (_BASE, _BASE), (_BASE + more, _BASE), (_BASE, _BASE + more)
    data = [workloads.examples(name, *size) for size in sizes]
    trainer = Trainer(cell, data[0])
    (trial,) = cell.trials()
    times = [[] for _ in sizes]
    for number in range(_ROUNDS.value + 1):
        for examples, seconds in zip(data, times, strict=True):
            if not trainer.take_up(cell, examples):
                raise RuntimeError(f"--more {more}: the longer epoch has another graph")
            start = time.perf_counter()
            trainer.train(trial)
            if number:  # the first round traces
                seconds.append(time.perf_counter() - start)
    base, updates, forwards = map(statistics.median, times)
    return (updates - base) / (more / 100), (forwards - base) / (more / 100)


if __name__ == "__main__":
    app.run(main)
