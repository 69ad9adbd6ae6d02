"""Cells: a model on a data set with a seed, and the trials that a cell needs."""

import dataclasses
import itertools
from typing import Any

from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.tables.experiments import (
    BatchSchedule,
    Column,
)
from keras_asymbp.benchmarks.tables.protocol import Protocol

# Raised whenever a change of the code gives a trial of the same settings other results.
REVISION = 1


@dataclasses.dataclass(frozen=True)
class TrialSpec:
    """One training run: a learning rate and a procedure."""

    learning_rate: float
    batch_schedule: tuple[tuple[int, int], ...]


@dataclasses.dataclass(frozen=True)
class Cell:
    """A model on a data set with a seed.

    Attributes:
        dataset: The data set.
        data_version: Its version that is there.
        column: The model.
        protocol: How it is trained.
        seed: Of the weights, the feedback and the order of the data.
    """

    dataset: Dataset
    data_version: str
    column: Column
    protocol: Protocol
    seed: int

    @property
    def network(self) -> str:
        """The network that the model is."""
        return self.protocol.network(self.dataset)

    @property
    def place(self) -> str:
        """Data set, and the network where it isn't the data set's own: for people."""
        network = self.protocol.architecture
        return self.dataset.name + (f" {network}" if network else "")

    @property
    def weight_decay(self) -> float:
        """The model's own, or the protocol's."""
        own = self.column.weight_decay
        return self.protocol.weight_decay if own is None else own

    @property
    def overridden(self) -> dict[str, Any]:
        """The protocol's settings where the model has its own, by name."""
        if self.column.weight_decay is None:
            return {}
        return {"weight_decay": self.protocol.weight_decay}

    def trials(self) -> list[TrialSpec]:
        """The runs of which the best is reported."""
        # In a few epochs, or with another batch size, two procedures can be one.
        schedules = dict.fromkeys(map(self._resolve, self.column.batch_schedules))
        return [
            TrialSpec(rate, schedule)
            for schedule, rate in itertools.product(
                schedules, self.column.learning_rates or self.protocol.learning_rates
            )
        ]

    def settings(self, trial: TrialSpec) -> dict[str, Any]:
        """Everything that a trial's result depends on, as JSON has it.

        Names that carry no meaning (the column's, the experiment's) are not part of
        it: tables that share a model share its results.
        """
        protocol = self.protocol.settings()
        # The trial's own: other rates in the search don't change this one.
        del protocol["learning_rates"]
        return {
            **protocol,
            "weight_decay": self.weight_decay,
            "revision": REVISION,
            "dataset": self.dataset.name,
            "data_version": self.data_version,
            "architecture": self.network,
            "feedback": self.column.feedback,
            "normalization": self.column.normalization,
            "setting": self.column.setting,
            "clamped": self.column.clamped,
            "learning_rate": trial.learning_rate,
            "batch_schedule": [list(phase) for phase in trial.batch_schedule],
            "seed": self.seed,
            # Where there is none, older results have no word of it.
            **({"scale": self.column.scale} if self.column.scale else {}),
        }

    def label(self, trial: TrialSpec) -> str:
        """The readable start of the name of a trial's file."""
        return (
            f"{self.place}-{self.column.name}-seed{self.seed}-lr{trial.learning_rate:g}"
        )

    def _resolve(self, schedule: BatchSchedule) -> tuple[tuple[int, int], ...]:
        phases = [
            (epoch, size or self.protocol.batch_size)
            for epoch, size in schedule
            if epoch < self.protocol.epochs
        ]
        return tuple(
            phase
            for number, phase in enumerate(phases)
            if number == 0 or phase[1] != phases[number - 1][1]
        )


@dataclasses.dataclass(frozen=True)
class Task:
    """What one process is given to do: a cell, and those of its trials to run."""

    cell: Cell
    trials: tuple[TrialSpec, ...]
