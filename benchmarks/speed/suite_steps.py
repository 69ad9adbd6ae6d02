"""Trains by the suite's own trainer, one round for each line on stdin; see `peer.py`.

    python -m benchmarks.speed.suite_steps NETWORK RULE [--whole_epochs]

It needs Keras and its backend alone: no TensorFlow on JAX, and no data set.
"""

import dataclasses
import os
import sys
import time

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from benchmarks.speed import peer, workloads
from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.tables.protocol import Protocol
from keras_asymbp.benchmarks.training import device
from keras_asymbp.benchmarks.training.observers import Observer
from keras_asymbp.benchmarks.training.trainer import Trainer

# Epochs of a round that are timed; another one, before them, starts the clock.
EPOCHS = 3


class Rounds:
    """Trains a network of Table 1 on random images, a round a call.

    Args:
        name: The network.
        rule: The feedback rule.
        whole_epochs: Whether an epoch is one program.
    """

    def __init__(self, name: str, rule: str, whole_epochs: bool):
        device.prepare(deterministic=False)
        dataset = dataclasses.replace(
            datasets.get("mnist_5k"), network=name, num_classes=workloads.classes(name)
        )
        rates = (workloads.RATE,)
        protocol = Protocol(epochs=1 + EPOCHS, learning_rates=rates)
        cell = Cell(dataset, "1", Column(rule, rule=rule), protocol, seed=0)
        data = workloads.examples(name, workloads.STEPS[name] * workloads.BATCH)
        self._trainer = Trainer(cell, data, whole_epochs)
        (self._trial,) = cell.trials()

    def __call__(self) -> tuple[float, float]:
        """Returns wall-clock and processor seconds of the epochs after the first."""
        clock = _Clock()
        self._trainer.train(self._trial, [clock])
        (wall, cpu), *_, (wall_end, cpu_end) = clock.times
        return wall_end - wall, cpu_end - cpu


class _Clock(Observer):
    def __init__(self):
        self.times = []

    def epoch(self, row):
        self.times.append((time.perf_counter(), time.process_time()))


def main() -> None:
    name, rule, *flags = sys.argv[1:]
    peer.serve(Rounds(name, rule, "--whole_epochs" in flags))


if __name__ == "__main__":
    main()
