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

import keras
from absl import flags

from benchmarks.speed import workloads
from keras_asymbp.benchmarks import datasets, networks
from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.depth.study import DEPTHS
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.networks import FAMILIES, TABLE_1
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.tables.protocol import Protocol
from keras_asymbp.benchmarks.training.trainer import Trainer

# Table 1's, the depth study's, and those of FA-bench and Text.
NAMES = (
    *TABLE_1,
    *(
        family.network_name(depth)
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
_MORE = flags.DEFINE_integer("more", 1000, "Examples by which epochs differ.", 1)

_BASE = 500  # training examples of the shortest epoch, and test examples


def main() -> None:
    program.start(_run, "python -m benchmarks.cell_cost", __doc__)


def _run():
    print(f"load average {os.getloadavg()[0]:.2f}")
    for name in _NETWORKS.value:
        for normalized, (update, forward) in measure(name).items():
            print(
                f'("{name}", {normalized}): '
                f"Cost(update={update:.5f}, forward={forward:.5f}),",
                flush=True,
            )


def measure(name):
    """Seconds of an update, and of the forward pass of a batch of 100.

    Returns:
        Both without batch normalization and with it, measured in turn.
    """
    keras.utils.clear_session()
    more = _MORE.value
    # A base, more updates, more forward passes.
    sizes = (_BASE, _BASE), (_BASE + more, _BASE), (_BASE, _BASE + more)
    data = [workloads.examples(name, *size) for size in sizes]
    variants = (_ONCE[name],) if name in _ONCE else (False, True)
    cells = {normalized: _cell(name, normalized) for normalized in variants}
    trainers = {each: Trainer(cell, data[0]) for each, cell in cells.items()}
    times = {normalized: [[] for _ in sizes] for normalized in variants}
    for number in range(_ROUNDS.value + 1):
        for normalized, trainer in trainers.items():
            cell = cells[normalized]
            (trial,) = cell.trials()
            for examples, seconds in zip(data, times[normalized], strict=True):
                if not trainer.take_up(cell, examples):
                    raise UsageError(
                        f"--more={more} gives the longer epoch another graph: try "
                        f"{_MORE.default}"
                    )
                start = time.perf_counter()
                trainer.train(trial)
                if number:  # the first round traces
                    seconds.append(time.perf_counter() - start)
    return {each: _differences(found, more / 100) for each, found in times.items()}


def _cell(name, normalized):
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
    return Cell(dataset, "1", column, protocol, seed=0)


def _differences(times, batches):
    base, updates, forwards = map(statistics.median, times)
    return (updates - base) / batches, (forwards - base) / batches


if __name__ == "__main__":
    main()
