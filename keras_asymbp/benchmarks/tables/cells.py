"""Cells: a model, a data set and a seed, with the trials that they need."""

import dataclasses
import functools
import itertools
from collections.abc import Mapping
from typing import Any

from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.tables.experiments import BatchSchedule, Column
from keras_asymbp.benchmarks.tables.protocol import Protocol

# The settings of a model, and those that tell its trials apart; the rest are common to
# all models of a setup.
_OF_A_MODEL = (
    *("feedback", "normalization", "setting", "clamped", "scale", "weight_decay"),
    "optimizer",
)
_OF_A_RUN = ("seed", "learning_rate", "batch_schedule")

# Settings in three parts, for looking up trials: those common to a setup, those of a
# model, and those of a run of it. Settings with the same id have equal keys.
Common = frozenset[tuple[str, Any]]
Model = tuple[Any, ...]
Run = tuple[int, float, tuple[tuple[int, int], ...]]
Key = tuple[Common, Model, Run]


def key(settings: Mapping[str, Any]) -> Key:
    """The key of a trial's settings."""
    rest = dict(settings)
    model = tuple(rest.pop(name, None) for name in _OF_A_MODEL)
    seed, rate, schedule = (rest.pop(name) for name in _OF_A_RUN)
    return frozenset(rest.items()), model, (seed, rate, tuple(map(tuple, schedule)))


@functools.lru_cache
def common(dataset: Dataset, version: str, protocol: Protocol) -> Common:
    """The part of a key that all models of a setup have in common."""
    cell = Cell(dataset, version, Column(""), protocol, 0)
    return key(cell.settings(TrialSpec(0.0, ())))[0]


def model(column: Column, protocol: Protocol) -> Model:
    """The part of a key that is a model's."""
    return (
        *(column.feedback, column.normalization, column.setting, column.clamped),
        *(column.scale or None, _weight_decay(column, protocol)),
        column.optimizer or None,
    )


def _weight_decay(column, protocol):
    own = column.weight_decay
    return protocol.weight_decay if own is None else own


@dataclasses.dataclass(frozen=True)
class TrialSpec:
    """One training run.

    Attributes:
        learning_rate: The base learning rate.
        batch_schedule: Pairs of a first epoch, counted from 0, and its batch size.
    """

    learning_rate: float
    batch_schedule: tuple[tuple[int, int], ...]

    def run(self, seed: int) -> Run:
        """The part of a key that is a run's."""
        return seed, self.learning_rate, self.batch_schedule


@dataclasses.dataclass(frozen=True)
class Cell:
    """A model, a data set and a seed.

    Attributes:
        dataset: The data set.
        data_version: The version of the data set on disk.
        column: The model.
        protocol: How it is trained.
        seed: Seed of the weights, the feedback and the order of the data.
    """

    dataset: Dataset
    data_version: str
    column: Column
    protocol: Protocol
    seed: int

    @property
    def network(self) -> str:
        """The name of the model's network."""
        return self.protocol.network(self.dataset)

    @property
    def place(self) -> str:
        """Data set, and network if it is not the data set's own, for display."""
        network = self.protocol.architecture
        return self.dataset.name + (f" {network}" if network else "")

    @property
    def weight_decay(self) -> float:
        """The model's own weight decay, or the protocol's."""
        return _weight_decay(self.column, self.protocol)

    @property
    def overridden(self) -> dict[str, Any]:
        """The protocol's values of the settings that the model overrides, by name."""
        if self.column.weight_decay is None:
            return {}
        return {"weight_decay": self.protocol.weight_decay}

    def trials(self) -> list[TrialSpec]:
        """The runs to search; the best one is reported."""
        column, protocol = self.column, self.protocol
        return [
            *_trials(
                column.batch_schedules,
                column.learning_rates or protocol.learning_rates,
                protocol.batch_size,
                protocol.epochs,
            )
        ]

    def settings(self, trial: TrialSpec) -> dict[str, Any]:
        """Everything that a trial's result depends on; JSON-able.

        The names of column and experiment are left out: tables that share a model
        share its results.
        """
        protocol = self.protocol.settings()
        # A trial has one rate: the other rates of the search do not affect it.
        del protocol["learning_rates"]
        return {
            **protocol,
            "weight_decay": self.weight_decay,
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
            # Omitted if None, so ids of results older than these settings stay valid.
            **{
                name: value
                for name in ("scale", "optimizer")
                if (value := getattr(self.column, name))
            },
        }

    def label(self, trial: TrialSpec) -> str:
        """The readable start of a trial's file name."""
        return (
            f"{self.place}-{self.column.name}-seed{self.seed}-lr{trial.learning_rate:g}"
        )


@functools.cache
def _trials(schedules, rates, batch_size, epochs):
    # With few epochs or another batch size, two schedules can be the same.
    resolved = dict.fromkeys(_resolve(s, batch_size, epochs) for s in schedules)
    return [TrialSpec(rate, s) for s, rate in itertools.product(resolved, rates)]


def _resolve(
    schedule: BatchSchedule, batch_size: int, epochs: int
) -> tuple[tuple[int, int], ...]:
    phases = [(epoch, size or batch_size) for epoch, size in schedule if epoch < epochs]
    return tuple(
        phase
        for number, phase in enumerate(phases)
        if number == 0 or phase[1] != phases[number - 1][1]
    )


@dataclasses.dataclass(frozen=True)
class Task:
    """The work of one process: a cell, and which of its trials to run."""

    cell: Cell
    trials: tuple[TrialSpec, ...]
