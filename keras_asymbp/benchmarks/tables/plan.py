"""Plans: what to run and to report."""

import dataclasses

from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.experiments import Column, Experiment
from keras_asymbp.benchmarks.tables.protocol import Protocol


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to run and to report: the request of a command, resolved.

    Attributes:
        experiment: The table.
        columns: The models of it that were asked for.
        datasets: The data sets and the version of each that is there.
        protocol: How models are trained.
        preset: The name of the preset that the protocol was made from.
        seeds: The seeds.
    """

    experiment: Experiment
    columns: tuple[Column, ...]
    datasets: tuple[tuple[Dataset, str], ...]
    protocol: Protocol
    preset: str
    seeds: tuple[int, ...]

    def cells(self) -> list[Cell]:
        """Every cell to run, a data set at a time."""
        return [
            self.cell(dataset, version, column, seed)
            for dataset, version in self.datasets
            for seed in self.seeds
            for column in self.columns
        ]

    def printed(self, dataset: Dataset) -> str:
        """Whose figures stand beside a data set's, and which: for people."""
        return self.experiment.printed(dataset, self.protocol.network(dataset))

    def cell(self, dataset: Dataset, version: str, column: Column, seed: int) -> Cell:
        return Cell(dataset, version, column, self.protocol, seed)
