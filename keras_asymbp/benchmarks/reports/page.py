"""What `report.html` shows: all experiments of a results folder, as plain data.

The page's template writes the tables from a `Page`; its script reads `Page.data`, which
is JSON, for everything else.
"""

import base64
import collections
import dataclasses
import hashlib
import itertools
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import scipy.stats

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.results import claims, setups
from keras_asymbp.benchmarks.results.setups import Setup
from keras_asymbp.benchmarks.results.store import Store, trial_id
from keras_asymbp.benchmarks.results.table import Entry, Table, fill
from keras_asymbp.benchmarks.tables import reproduce
from keras_asymbp.benchmarks.tables.experiments import (
    ALL,
    EXPERIMENTS,
    Column,
    Experiment,
)
from keras_asymbp.benchmarks.tables.plan import Plan

_STATIC = pathlib.Path(__file__).with_name("static")
_CONCORDANCE = re.compile(r"(brSF|frSF)(?:-(\d+(?:\.\d+)?))?")
_FEWEST_PAIRS = 3


@dataclasses.dataclass(frozen=True)
class Figure:
    """One figure of the page.

    Attributes:
        number: Its place in `Page.data["figures"]`: tables that share a model share it.
        entry: What the table has there.
    """

    number: int
    entry: Entry


@dataclasses.dataclass(frozen=True)
class Section:
    """An experiment with its rows, which may be of several protocols.

    Attributes:
        experiment: The experiment.
        columns: Its models.
        rows: The number of a row's setup and its figures; None where a row's table
            lacks the model.
        commands: What makes it, a line for each protocol.
    """

    experiment: Experiment
    columns: tuple[Column, ...]
    rows: tuple[tuple[int, tuple[Figure | None, ...]], ...]
    commands: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Page:
    """What the page shows.

    Attributes:
        sections: The experiments.
        setups: The data sets and protocols; their numbers are used everywhere else.
        labels: The name of each setup, which no other has.
        without_flag: The settings of each setup that no flag gives.
        claims: What became of each claim, for each setup.
        evidence: The number of the figure for a setup's number and the name of one of
            the paper's models.
        done: How many trials of the tables there are.
        expected: How many they need.
        trials: These trials, each once.
        problems: A line for each stored trial that the page can't show.
        data: All that the page's script needs; JSON-able.
    """

    sections: tuple[Section, ...]
    setups: tuple[Setup, ...]
    labels: tuple[str, ...]
    without_flag: tuple[list[str], ...]
    claims: tuple[list[claims.Finding], ...]
    evidence: dict[tuple[int, str], int]
    done: int
    expected: int
    trials: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]
    data: dict[str, Any]

    @property
    def held_out(self) -> bool:
        """Whether there is a setup whose rates and epochs aren't chosen by the test."""
        return any(setup.protocol.validation_share for setup in self.setups)


def tables(store: Store, known: Mapping[str, Dataset]) -> list[Table]:
    """Tables of all that is in a store, each model of it in one at least.

    Args:
        store: The results.
        known: The data sets by name.
    """
    found, _ = setups.find(store, known)
    return sorted(_others([], found, store), key=_rank)


def build(tables: Sequence[Table], store: Store) -> Page:
    """Builds the page of a results folder.

    Args:
        tables: The tables of the last command. They are shown as they are; every other
            experiment that the store holds results of is added.
        store: The results.
    """
    known = {dataset.name: dataset for table in tables for dataset, _ in table.rows}
    found, problems = setups.find(store, datasets.DATASETS | known)
    tables = [*tables, *_others(tables, found, store)]
    trials = {trial["id"]: trial for table in tables for trial in table.trials()}
    figures = _Figures(list(trials))
    sections = tuple(
        _section(list(group), figures)
        for _, group in itertools.groupby(
            sorted(tables, key=_rank), key=lambda table: table.plan.experiment.name
        )
    )
    labels = _labels(figures.setups)
    return Page(
        sections=sections,
        setups=tuple(figures.setups),
        labels=labels,
        without_flag=tuple(
            reproduce.without_flag(setup.protocol, setup.preset or "")
            for setup in figures.setups
        ),
        claims=tuple(claims.evaluate(setup, store) for setup in figures.setups),
        evidence={
            (setup, column.name): number
            for (setup, column), number in figures.numbers.items()
            if any(column in e.columns for e in EXPERIMENTS.values())
        },
        done=len(trials),
        expected=len({i for table in tables for i in _expected(table.plan)}),
        trials=tuple(trials.values()),
        problems=tuple(problems),
        data={
            "program": reproduce.PROGRAM,
            "setups": [
                _setup_data(number, setup, label, figures.data)
                for number, (setup, label) in enumerate(
                    zip(figures.setups, labels, strict=True)
                )
            ],
            "figures": figures.data,
            "trials": [_trial_data(trial) for trial in trials.values()],
            "experiments": [_experiment_data(section) for section in sections],
        },
    )


def static(name: str) -> str:
    """The text of a style sheet or script that the page is made of.

    Raises:
        ValueError: If it can't stand inside of an HTML element.
    """
    text = (_STATIC / name).read_text(encoding="utf-8")
    if re.search(r"</(script|style)|<!--", text, re.IGNORECASE):
        raise ValueError(f"{name} has the end of an element in it")
    return text


def csp_hash(text: str) -> str:
    """What a Content-Security-Policy calls the element with this text."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


class _Figures:
    """Numbers setups and figures in the order in which they are met."""

    def __init__(self, trial_ids: list[str]):
        self.setups: list[Setup] = []
        self.numbers: dict[tuple[int, Column], int] = {}
        self.data: list[dict[str, Any]] = []
        self._trials = {name: number for number, name in enumerate(trial_ids)}

    def setup(self, setup: Setup) -> int:
        if setup not in self.setups:
            self.setups.append(setup)
        return self.setups.index(setup)

    def add(
        self, setup: int, experiment: Experiment, column: Column, entry: Entry
    ) -> Figure:
        number = self.numbers.setdefault((setup, column), len(self.data))
        if number == len(self.data):
            self.data.append(
                {
                    "setup": setup,
                    "model": column.name,
                    "rule": column.feedback.partition("-")[0],
                    "error": _percent(entry.error),
                    "spread": _percent(entry.spread),
                    "paper": entry.paper,
                    "expected": entry.expected,
                    "trials": [self._trials[trial["id"]] for trial in entry.trials],
                    "flags": reproduce.model_flags(experiment, column),
                }
            )
        return Figure(number, entry)


def _others(tables, found, store):
    """Tables of what else the store has results of.

    First experiments with a model that no other has, then what it takes until every
    model is shown. The tables that are given stay as they are.
    """
    shown = {key for table in tables for key in _keys(table.plan)}
    seen = {model for table in tables for model in _models(table.plan)}
    for models in (_OWN, _ALL):
        for setup, experiment in itertools.product(found, ALL.values()):
            plan = Plan(
                experiment,
                experiment.columns,
                ((setup.dataset, setup.version),),
                setup.protocol,
                setup.preset or "quick",  # whose other settings the command overrides
                setup.seeds,
            )
            (key,) = _keys(plan)
            if key in shown:
                continue
            table = fill(plan, store)
            ((_, entries),) = table.rows
            if any(
                entry.trials and column in models[experiment.name] and model not in seen
                for entry, column, model in zip(
                    entries, plan.columns, _models(plan), strict=True
                )
            ):
                shown.add(key)
                seen.update(_models(plan))
                yield table


def _nameless(column):
    """What a model is, whatever a table calls it."""
    return dataclasses.replace(column, name="")


_ALL = {experiment.name: experiment.columns for experiment in ALL.values()}

# The models that an experiment has alone. What the paper and a peer share is the
# paper's.
_OWN = {
    experiment.name: {
        column
        for column in experiment.columns
        if not any(
            _nameless(column) == _nameless(another)
            for other in ALL.values()
            if other is not experiment and other.source in ("paper", experiment.source)
            for another in other.columns
        )
    }
    for experiment in ALL.values()
}


def _keys(plan):
    """What makes tables of one experiment the same, but for seeds and rates."""
    for dataset, version in plan.datasets:
        protocol = dataclasses.replace(
            plan.protocol,
            learning_rates=(),
            architecture=plan.protocol.network(dataset),
        )
        yield plan.experiment.name, dataset.name, version, protocol


def _models(plan):
    """The models of a plan and what each is trained on, but for seeds and rates."""
    return [
        (tuple(setup), _nameless(column))
        for _, *setup in _keys(plan)
        for column in plan.columns
    ]


def _rank(table):
    """Experiments in the paper's order, then others in theirs."""
    names = list(ALL)
    name = table.plan.experiment.name
    return (names.index(name), "") if name in names else (len(names), name)


def _section(tables, figures):
    columns = tuple(dict.fromkeys(c for table in tables for c in table.plan.columns))
    rows = []
    for table in tables:
        plan = table.plan
        for (dataset, version), (_, entries) in zip(
            plan.datasets, table.rows, strict=True
        ):
            number = figures.setup(
                Setup(dataset, version, plan.protocol, plan.preset, plan.seeds)
            )
            by_column = {
                column: figures.add(number, plan.experiment, column, entry)
                for column, entry in zip(plan.columns, entries, strict=True)
            }
            rows.append((number, tuple(by_column.get(column) for column in columns)))
    return Section(
        tables[0].plan.experiment,
        columns,
        tuple(rows),
        tuple(dict.fromkeys(reproduce.reproduce([table.plan]) for table in tables)),
    )


def _labels(found):
    """Names of setups: the data set's, and as much more as tells them apart."""
    parts = [
        [
            setup.dataset.name,
            f"{setup.preset}, {setup.protocol.epochs} epochs",
            f"seeds {', '.join(map(str, setup.seeds))}",
            f"version {setup.version}",
            f"no. {number}",
        ]
        for number, setup in enumerate(found, start=1)
    ]
    for count in range(1, 6):
        labels = [", ".join(part[:count]) for part in parts]
        if len(set(labels)) == len(labels):
            break
    return tuple(labels)


def _expected(plan):
    return (
        trial_id(cell.settings(trial))
        for cell in plan.cells()
        for trial in cell.trials()
    )


def _setup_data(number, setup, label, figures):
    pairs = [
        (figure["paper"], figure["error"])
        for figure in figures
        if figure["setup"] == number
        and figure["paper"] is not None
        and figure["error"] is not None
    ]
    return {
        "label": label,
        "paper": setup.dataset.paper,
        "seeds": list(setup.seeds),
        "rates": list(setup.protocol.learning_rates),
        "flags": reproduce.setup_flags(
            setup.dataset, setup.protocol, setup.preset or "quick", setup.seeds
        ),
        "pairs": len(pairs),
        "correlation": rank_correlation(pairs),
    }


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Spearman's, or None for less than three pairs or where all of a kind are alike.

    >>> rank_correlation([(1.0, 10.0), (2.0, 30.0), (3.0, 20.0)])
    0.5
    """
    if len(pairs) < _FEWEST_PAIRS or any(
        len(set(kind)) == 1 for kind in zip(*pairs, strict=True)
    ):
        return None
    return round(float(scipy.stats.spearmanr(pairs).statistic), 4)


def _trial_data(trial):
    settings, result = trial["settings"], trial["result"]
    rows = result["curves"]
    data = {
        "model": trial["model"],
        "dataset": settings["dataset"],
        "seed": settings["seed"],
        "rate": settings["learning_rate"],
        "batches": settings["batch_schedule"],
        "error": _percent(100 * result["best_error"]),
        "epoch": result["best_epoch"],
        "diverged": result["diverged"],
        "seconds": trial["seconds"],
        "file": trial["file"],
        "train": [_percent(100 * row["train_error"]) for row in rows],
        "test": [_percent(100 * row["test_error"]) for row in rows],
    }
    if alignment := _alignment(rows):
        data["alignment"] = alignment
    return data


def _alignment(rows):
    """What `AlignmentMonitor` adds to an epoch's row, by its names: "layer/angle"."""
    names = dict.fromkeys(name for row in rows for name in row if "/" in name)
    series = collections.defaultdict(list)
    for name, row in itertools.product(names, rows):
        value = row.get(name)
        series[name].append(None if value is None else float(f"{value:.4g}"))
    return dict(series)


def _experiment_data(section):
    concordance = [
        100 - float(match[2] or 0)
        if (match := _CONCORDANCE.fullmatch(column.feedback))
        else None
        for column in section.columns
    ]
    return {
        "name": section.experiment.name,
        "title": section.experiment.title,
        "baseline": section.experiment.baseline,
        # In percent, where the experiment varies it.
        "concordance": concordance if len(set(concordance) - {None}) > 1 else None,
        "rows": [
            [number, [figure.number if figure else None for figure in figures]]
            for number, figures in section.rows
        ],
    }


def _percent(value):
    return None if value is None else round(value, 3)
