"""Plans: the rows of tables to run and to report."""

import dataclasses
import functools

from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.tables import presets, printed, readings
from keras_asymbp.benchmarks.tables.cells import Cell, Common, common
from keras_asymbp.benchmarks.tables.experiments import Column, Experiment
from keras_asymbp.benchmarks.tables.protocol import (
    PRESETS,
    Protocol,
    chance_error,
)


@dataclasses.dataclass(frozen=True)
class Setup:
    """A data set and a training protocol, shared by comparable trials.

    Attributes:
        dataset: The data set.
        version: Its version.
        protocol: The protocol, with all learning rates.
        preset: Name of the preset behind the protocol; None without a preset.
        seeds: The seeds.
    """

    dataset: Dataset
    version: str
    protocol: Protocol
    preset: str | None
    seeds: tuple[int, ...]

    @property
    def network(self) -> str:
        """The name of the trained network."""
        return self.protocol.network(self.dataset)

    @property
    def base(self) -> str:
        """The preset that a command starts from; flags override the rest."""
        return self.preset or presets.base(self.protocol)

    @property
    def requested_reading(self) -> readings.Reading | None:
        """The reading, unless it is the one of the preset and the network."""
        preset = PRESETS.get(self.base, Protocol())  # a program may have its own
        usual = readings.of(readings.completed(preset, self.network))
        reading = readings.of(self.protocol)
        return None if reading == usual else reading

    @property
    def train_examples(self) -> int:
        """The number of training examples; 0 if it is not known."""
        return self.protocol.train_examples or (self.dataset.counts or (0, 0))[0]

    @property
    def test_examples(self) -> int:
        """The number of test examples; 0 if it is not known."""
        return self.protocol.test_examples or (self.dataset.counts or (0, 0))[1]

    @property
    def guessing(self) -> float:
        """The error of guessing in percent: of naming the largest class of the test
        split. Where it is not known, classes count as equally frequent.
        """
        dataset, whole = self.dataset, self.protocol.test_examples is None
        if whole and dataset.largest_class is not None:
            return 100 * (1 - dataset.largest_class)
        if whole and dataset.as_in_paper and dataset.paper in printed.CLASSES:
            return printed.guessing(dataset.paper)
        # A part is balanced across classes.
        return 100 * chance_error(dataset.num_classes)

    @property
    def looks(self) -> int:
        """How often a model's test error is looked at, to report the lowest.

        After each epoch with each rate; once if both are chosen on held-out examples.
        """
        protocol = self.protocol
        if protocol.validation_share:
            return 1
        return protocol.epochs * len(protocol.learning_rates)

    @functools.cached_property
    def regime(self) -> tuple[Protocol, bool]:
        """The protocol, equal for networks that each have their default reading."""
        reading = readings.of(self.protocol)
        if reading != readings.default(self.network):
            return self.protocol, False
        return readings.BASE.applied(self.protocol), True

    @functools.cached_property
    def common(self) -> Common:
        """The settings that all its trials have in common; see `tables.cells.key`."""
        return common(self.dataset, self.version, self.protocol)

    def cells(self, column: Column) -> list[Cell]:
        """A model's cells, one for each seed."""
        return [
            Cell(self.dataset, self.version, column, self.protocol, seed)
            for seed in self.seeds
        ]

    @functools.cached_property
    def subject(self) -> "Setup":
        """The setup without seeds, rates and preset, for comparing setups."""
        protocol = dataclasses.replace(
            self.protocol, architecture=self.network, learning_rates=()
        )
        return Setup(self.dataset, self.version, protocol, None, ())


@dataclasses.dataclass(frozen=True)
class Plan:
    """A row of an experiment's table.

    Attributes:
        experiment: The experiment.
        columns: Its requested models.
        setup: The data set and the training protocol.
    """

    experiment: Experiment
    columns: tuple[Column, ...]
    setup: Setup

    def cells(self) -> list[Cell]:
        """All cells to run, ordered by seed."""
        by_column = map(self.setup.cells, self.columns)
        return [cell for cells in zip(*by_column, strict=True) for cell in cells]

    def same_runs(self) -> list[list[str]]:
        """The names of models that are the same runs, by construction."""
        names: dict[Column, list[str]] = {}
        for column in self.columns:
            names.setdefault(column.nameless, []).append(column.name)
        return [shared for shared in names.values() if len(shared) > 1]

    def printed(self, column: Column) -> float | None:
        """The printed error of a model in percent; None without one."""
        row = self._printed_row()
        if self.experiment.figures:
            return self._own_figures.get((row, column.name))
        return printed.error(row, column.name)

    @property
    def has_printed_row(self) -> bool:
        """Whether figures are printed for the setup."""
        row = self._printed_row()
        if self.experiment.figures:
            return any(row == known for known, _ in self._own_figures)
        return printed.has(row)

    @functools.cached_property
    def _own_figures(self):
        """The experiment's own figures, by row and column."""
        return {(row, column): error for row, column, error in self.experiment.figures}

    def printed_row(self) -> str | None:
        """Source and name of the row of printed figures, for display; None without."""
        source = self.experiment.source
        if source is None:
            return None
        return f"{source}: {self._printed_row() if self.has_printed_row else 'no row'}"

    def _printed_row(self):
        return self.experiment.row(self.setup.dataset, self.setup.network)
