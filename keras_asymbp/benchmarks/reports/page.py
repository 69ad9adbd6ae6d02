"""The content of `report.html`: all experiments of a results folder, as plain data.

The page's template writes the tables from a `Page`; its script reads `Page.data`, which
is JSON, for everything else.
"""

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from typing import Any

from keras_asymbp.benchmarks.escaping.printable import one_line
from keras_asymbp.benchmarks.pictures import looks
from keras_asymbp.benchmarks.reports import script_data, words
from keras_asymbp.benchmarks.results.assessment import Assessment, assess
from keras_asymbp.benchmarks.results.claims import CLAIMS, COLUMNS
from keras_asymbp.benchmarks.results.comparison import Comparison, compare_once
from keras_asymbp.benchmarks.results.inventory import Inventory
from keras_asymbp.benchmarks.results.measures import MEASURES
from keras_asymbp.benchmarks.results.table import Entry, Table
from keras_asymbp.benchmarks.results.verdicts import UNKNOWN
from keras_asymbp.benchmarks.tables import reproduce
from keras_asymbp.benchmarks.tables.cells import model
from keras_asymbp.benchmarks.tables.experiments import Column, Experiment
from keras_asymbp.benchmarks.tables.labels import labels
from keras_asymbp.benchmarks.tables.plan import Setup


@dataclasses.dataclass(frozen=True)
class Figure:
    """One figure of the page.

    Attributes:
        number: Its index in `Page.data["figures"]`; tables that share a model share it.
        entry: The table's entry.
    """

    number: int
    entry: Entry


@dataclasses.dataclass(frozen=True)
class SectionRow:
    """A row of a section.

    Attributes:
        setup: The number of its setup.
        printed: Source and name of the row of printed figures; None without one.
        figures: A figure for each of the section's columns; None if the row's table
            lacks the model.
        comparisons: The comparison of each of them with the baseline, over seeds or,
            with one seed, over test examples; None where there is none.
    """

    setup: int
    printed: str | None
    figures: tuple[Figure | None, ...]
    comparisons: tuple[Comparison | None, ...]


@dataclasses.dataclass(frozen=True)
class Section:
    """An experiment with its rows, possibly of several protocols.

    Attributes:
        experiment: The experiment.
        columns: Its models.
        rows: Its rows.
        commands: The commands to reproduce it, one for each protocol.
    """

    experiment: Experiment
    columns: tuple[Column, ...]
    rows: tuple[SectionRow, ...]
    commands: tuple[str, ...]

    @functools.cached_property  # asked for by each row
    def seeds(self) -> frozenset[int]:
        """The numbers of seeds that comparisons with the baseline are over."""
        return frozenset(
            len(comparison.seeds)
            for row in self.rows
            for comparison in row.comparisons
            if comparison
        )


@dataclasses.dataclass(frozen=True)
class Page:
    """The content of the page.

    Attributes:
        sections: The experiments.
        setups: The data sets and protocols; everything else refers to them by number.
        labels: A unique name for each setup.
        without_flag: The settings of each setup that have no flag.
        assessments: Each setup against the paper.
        evidence: The number of the figure behind a claim, by the setup's number and the
            model's name.
        done: Number of stored trials of the tables.
        expected: Number of trials that the tables need.
        trials: The stored trials, each once.
        problems: A line for each stored trial that the page can't show.
        data: The data of the page's script; JSON-able.
    """

    sections: tuple[Section, ...]
    setups: tuple[Setup, ...]
    labels: tuple[str, ...]
    without_flag: tuple[list[str], ...]
    assessments: tuple[Assessment, ...]
    evidence: dict[tuple[int, str], int]
    done: int
    expected: int
    trials: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]
    data: dict[str, Any]

    @property
    def held_out(self) -> bool:
        """Whether any setup chooses rates and epochs on held-out examples."""
        return any(setup.protocol.validation_share for setup in self.setups)

    @functools.cached_property
    def main(self) -> int:
        """The number of the setup whose finding comes first."""
        return _main(self.assessments)


def build(tables: Sequence[Table], held: Inventory) -> Page:
    """Builds the page of a results folder.

    Args:
        tables: The tables; those of one experiment must be adjacent.
        held: The contents of the folder.
    """
    trials = {trial["id"]: trial for table in tables for trial in table.trials()}
    figures = _Figures(
        list(trials), looks.distinct(c for table in tables for c in table.columns)
    )
    sections = tuple(
        _section(experiment, list(group), figures)
        for experiment, group in itertools.groupby(
            tables, key=lambda table: table.experiment
        )
    )
    setups = tuple(figures.setups)
    names = labels(setups)
    plans = [row.plan for table in tables for row in table.rows]
    assessments = tuple(assess(held, setups, plans))
    return Page(
        sections=sections,
        setups=setups,
        labels=names,
        without_flag=tuple(map(reproduce.without_flag, setups)),
        assessments=assessments,
        evidence={
            (setup, model): figures.numbers[setup, column]
            for model, column in COLUMNS.items()
            for setup in range(len(setups))
            if (setup, column) in figures.numbers
        },
        done=len(trials),
        expected=len({key for table in tables for key in _expected(table)}),
        trials=tuple(trials.values()),
        problems=held.problems,
        data=_printable(
            {
                "program": reproduce.PROGRAM,
                "main": _main(assessments),
                "measures": list(MEASURES),
                "setups": [
                    script_data.of_setup(setup, label, assessment)
                    for setup, label, assessment in zip(
                        setups, names, assessments, strict=True
                    )
                ],
                "legend": {"marker": looks.REMEDIES, "fill": looks.LEARNING},
                "verdicts": [*words.VERDICT_WORDS.values()],
                "claims": [claim.name for claim in CLAIMS],
                "looks": [script_data.of_look(look) for look in figures.looks],
                "figures": figures.data,
                "trials": [script_data.of_trial(trial) for trial in trials.values()],
                "experiments": [
                    script_data.of_experiment(
                        section.experiment, section.columns, _numbers(section.rows)
                    )
                    for section in sections
                ],
            }
        ),
    )


def _printable(data):
    """The data of the script, which inserts text as it is: each text as one line."""
    if isinstance(data, dict):
        return {one_line(key): _printable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return list(map(_printable, data))
    return one_line(data) if isinstance(data, str) else data


class _Figures:
    """Numbers setups and figures in order of appearance."""

    def __init__(self, trial_ids: list[str], by_column: dict[Column, looks.Look]):
        self.looks = list(dict.fromkeys(by_column.values()))
        numbers = {look: number for number, look in enumerate(self.looks)}
        self._looks = {column: numbers[look] for column, look in by_column.items()}
        self.setups: list[Setup] = []
        self._setups: dict[Setup, int] = {}
        self.numbers: dict[tuple[int, Column], int] = {}
        self.data: list[dict[str, Any]] = []
        self._trials = {name: number for number, name in enumerate(trial_ids)}

    def setup(self, setup: Setup) -> int:
        number = self._setups.setdefault(setup, len(self.setups))
        if number == len(self.setups):
            self.setups.append(setup)
        return number

    def add(
        self, setup: int, experiment: Experiment, column: Column, entry: Entry
    ) -> Figure:
        number = self.numbers.setdefault((setup, column), len(self.data))
        if number == len(self.data):
            self.data.append(
                {
                    "setup": setup,
                    "model": column.name,
                    "rule": column.rule,
                    "look": self._looks[column],
                    "error": script_data.percent(entry.error),
                    "spread": script_data.percent(entry.spread),
                    "paper": entry.paper,
                    "expected": entry.expected,
                    "rates": self._rates(setup, column),
                    "trials": [self._trials[trial["id"]] for trial in entry.trials],
                    "flags": reproduce.model_flags(
                        experiment, column, self.setups[setup]
                    ),
                }
            )
        return Figure(number, entry)

    def _rates(self, setup, column):
        trials = self.setups[setup].cells(column)[0].trials()
        return list(dict.fromkeys(trial.learning_rate for trial in trials))


def _section(experiment, tables, figures):
    columns = tuple(dict.fromkeys(c for table in tables for c in table.columns))
    return Section(
        experiment,
        columns,
        tuple(_row(row, columns, figures) for table in tables for row in table.rows),
        tuple(
            dict.fromkeys(
                reproduce.reproduce([row.plan for row in table.rows])
                for table in tables
            )
        ),
    )


def _row(row, columns, figures):
    plan = row.plan
    setup = figures.setup(plan.setup)
    by_column = {
        column: figures.add(setup, plan.experiment, column, entry)
        for column, entry in zip(plan.columns, row.entries, strict=True)
    }
    compared = dict(zip(plan.columns, _comparisons(row), strict=True))
    return SectionRow(
        setup,
        plan.printed_row(),
        tuple(map(by_column.get, columns)),
        tuple(map(compared.get, columns)),
    )


def _comparisons(row):
    """Each entry's comparison with the baseline, with one seed over test examples."""
    plan = row.plan
    names = [column.name for column in plan.columns]
    if plan.experiment.baseline not in names:
        return [None] * len(names)
    number = names.index(plan.experiment.baseline)
    baseline, examples = (
        row.entries[number].errors,
        plan.setup.test_examples,
    )
    return [
        entry.comparison
        or (None if at == number else compare_once(entry.errors, baseline, examples))
        for at, entry in enumerate(row.entries)
    ]


def _expected(table):
    """The key of each trial that a table needs; see `tables.cells.key`."""
    for row in table.rows:
        setup = row.plan.setup
        for column in row.plan.columns:
            of_model = setup.common, model(column, setup.protocol)
            for cell in setup.cells(column):
                for trial in cell.trials():
                    yield *of_model, trial.run(cell.seed)


def _main(assessments):
    """The number of the setup with the most claims that are not unknown."""
    known = [
        sum(finding.verdict != UNKNOWN for finding in assessment.findings)
        for assessment in assessments
    ]
    return known.index(max(known))


def _numbers(rows):
    """The number of each row's setup, with those of its figures."""
    return [
        [row.setup, [figure.number if figure else None for figure in row.figures]]
        for row in rows
    ]
