"""Trains by the suite's own trainer, one round for each line on stdin; see `peer.py`.

    python -m benchmarks.speed.suite_steps NETWORK RULE [LANES]

LANES is how many trials train together in an epoch program; without it a trial trains
step by step.

It needs Keras and its backend alone: no TensorFlow on JAX, and no data set.
"""

import dataclasses
import sys
import time

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
        lanes: Trials that train together in an epoch program; 0 for one trial, step by
            step.
    """

    def __init__(self, name: str, rule: str, lanes: int = 0):
        device.prepare(deterministic=False)
        dataset = dataclasses.replace(
            datasets.get("mnist_5k"), network=name, num_classes=workloads.classes(name)
        )
        rates = (workloads.RATE,)
        protocol = Protocol(epochs=1 + EPOCHS, learning_rates=rates)
        cell = Cell(dataset, "1", Column(rule, rule=rule), protocol, seed=0)
        data = workloads.examples(name, workloads.STEPS[name] * workloads.BATCH)
        self._trainer = Trainer(cell, data, whole_epochs=lanes > 0)
        self._trials = cell.trials() * max(1, lanes)

    def __call__(self) -> tuple[float, float]:
        """Returns seconds of the epochs after the first, of one lane.

        They are wall-clock seconds and processor seconds.
        """
        clocks = [_Clock() for _ in self._trials]
        self._trainer.train_together(self._trials, [[clock] for clock in clocks])
        (wall, cpu), *_, (wall_end, cpu_end) = clocks[-1].times
        return (wall_end - wall) / len(clocks), (cpu_end - cpu) / len(clocks)


class _Clock(Observer):
    def __init__(self):
        self.times = []

    def epoch(self, row):
        self.times.append((time.perf_counter(), time.process_time()))


def main() -> None:
    name, rule, *lanes = sys.argv[1:]
    peer.serve(Rounds(name, rule, *map(int, lanes)))


if __name__ == "__main__":
    main()
