"""The ablation: its plans, its second rates, and the agreement of each reading."""

import dataclasses
import statistics
from collections.abc import Iterable, Sequence

from keras_asymbp.benchmarks.escaping import markdown
from keras_asymbp.benchmarks.results import inventory
from keras_asymbp.benchmarks.results.agreement import rank_correlation
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import finished, mark
from keras_asymbp.benchmarks.tables import readings
from keras_asymbp.benchmarks.tables.experiments import ABLATION
from keras_asymbp.benchmarks.tables.plan import Plan, Setup
from keras_asymbp.benchmarks.tables.protocol import Protocol, score
from keras_asymbp.benchmarks.tables.readings import CHOICES, Reading

# A rate beyond the five is this many times the last of them, or smaller.
_STEP = 10


@dataclasses.dataclass(frozen=True)
class Figure:
    """A model's error under a reading.

    Attributes:
        error: In percent, the mean over seeds; None if a trial is missing, also one
            beyond the five rates.
        paper: The printed error in percent; None without one.
        rate: The best learning rate of the first seed.
        beyond: Whether that rate is beyond the five.
    """

    error: float | None
    paper: float | None
    rate: float | None
    beyond: bool


@dataclasses.dataclass(frozen=True)
class Line:
    """A reading's figures and their agreement with the printed ones.

    Attributes:
        reading: The reading.
        figures: Those of each column of `ABLATION`, by the column's name.
    """

    reading: Reading
    figures: dict[str, Figure]

    @property
    def complete(self) -> bool:
        """Whether every model has its figure."""
        return all(figure.error is not None for figure in self.figures.values())

    @property
    def correlation(self) -> float | None:
        """Spearman's rank correlation with the printed errors, over models."""
        return rank_correlation(list(self._pairs().values()))

    @property
    def marks(self) -> tuple[int, int]:
        """Number of models marked as in the paper against SGD, and of models compared.

        The marks are those of the paper's tables: worse or better by 3 points.
        """
        pairs = self._pairs()
        if ABLATION.baseline not in pairs:
            return 0, 0
        paper_base, base = pairs.pop(ABLATION.baseline)
        agreeing = [
            mark(ours, base) == mark(paper, paper_base)
            for paper, ours in pairs.values()
        ]
        return sum(agreeing), len(agreeing)

    def _pairs(self):
        return {
            name: (figure.paper, figure.error)
            for name, figure in self.figures.items()
            if figure.paper is not None and figure.error is not None
        }


def plans(chosen: Iterable[Reading], setup: Setup) -> list[Plan]:
    """A plan for each reading, which changes the protocol of a setup."""
    protocols = (reading.applied(setup.protocol) for reading in chosen)
    return [
        Plan(ABLATION, ABLATION.columns, dataclasses.replace(setup, protocol=protocol))
        for protocol in protocols
    ]


def beyond(plans: Iterable[Plan], store: Store) -> list[Plan]:
    """Plans for one rate more, where the best of a first seed is at an edge.

    A column then has that rate alone.
    """
    found = []
    for plan in plans:
        columns = []
        for column in plan.columns:
            rate = _next_rate(plan.setup, column, store)
            if rate is not None:
                columns.append(_at(column, rate))
        if columns:
            found.append(dataclasses.replace(plan, columns=tuple(columns)))
    return found


def _at(column, rate):
    return dataclasses.replace(column, learning_rates=(rate,))


def _next_rate(setup, column, store):
    """The rate beyond the edge at which the best is; None if it is not at one."""
    cell, *_ = setup.cells(column)
    trials = _all_finished(cell, store)
    if not trials:
        return None
    rates = sorted({trial.learning_rate for trial in cell.trials()})
    best = trials[0]["settings"]["learning_rate"]
    if best == rates[0]:
        return best / _STEP
    return best * _STEP if best == rates[-1] else None


def _all_finished(cell, store):
    """The trials of a cell, best first; none if one of them is missing."""
    trials = finished(cell, store)
    return trials if len(trials) == len(cell.trials()) else []


def lines(chosen: Sequence[Reading], plans: Sequence[Plan], store: Store) -> list[Line]:
    """The line of each reading and its plan, in the order of `in_order`."""
    return in_order(
        Line(
            reading,
            {column.name: _figure(plan, column, store) for column in plan.columns},
        )
        for reading, plan in zip(chosen, plans, strict=True)
    )


def of_folder(store: Store) -> list[Line]:
    """The lines of a results folder's readings, of which a model is complete."""
    setup, *_ = inventory.take(store).setups
    rates = Protocol().learning_rates
    protocol = dataclasses.replace(setup.protocol, learning_rates=rates)
    chosen = readings.for_network(setup.network)
    setup = dataclasses.replace(setup, protocol=protocol)
    found = lines(chosen, plans(chosen, setup), store)
    return [x for x in found if any(f.error is not None for f in x.figures.values())]


def in_order(lines: Iterable[Line]) -> list[Line]:
    """The lines, the reading to choose first.

    It is the one with the highest rank correlation; of those within 0.05 of it, the one
    with most marks as in the paper; of these, the one that changes least of the present
    default. Lines that are incomplete, of which none can be chosen, come last.
    """
    found = sorted(
        lines, key=lambda line: (not line.complete, -_known(line.correlation))
    )
    complete = [line for line in found if line.complete]
    highest = max((_known(line.correlation) for line in complete), default=0.0)
    near = [x for x in complete if _known(x.correlation) >= highest - _NEAR]
    rest = found[len(near) :]
    near.sort(key=lambda line: (-line.marks[0], line.reading.changes()))
    return [*near, *rest]


# Correlations that differ by no more are equal: nine models swap two neighbours.
_NEAR = 0.05


def _known(correlation):
    return -1.0 if correlation is None else correlation


def _figure(plan, column, store):
    setup = plan.setup
    extra = _next_rate(setup, column, store)
    columns = [column] if extra is None else [column, _at(column, extra)]
    errors, rates = [], []
    for cells in zip(*map(setup.cells, columns), strict=True):
        found = [_all_finished(cell, store) for cell in cells]
        if not all(found):
            return Figure(None, plan.printed(column), None, beyond=False)
        best = min((trials[0] for trials in found), key=lambda t: score(t["result"]))
        errors.append(100 * best["result"]["best_error"])
        rates.append(best["settings"]["learning_rate"])
    return Figure(
        sum(errors) / len(errors),
        plan.printed(column),
        rates[0],
        beyond=rates[0] == extra,
    )


def text(lines: Sequence[Line]) -> str:
    """The readings, then what each choice alone does."""
    found = effects(lines)
    words = "\nMeans over readings that differ in nothing else:\n\n" if found else ""
    return table(lines) + words + found


def table(lines: Sequence[Line]) -> str:
    """One or more lines as a Markdown table.

    An error at a rate beyond the five has a degree sign.
    """
    names = list(lines[0].figures)
    rows = []
    for line in lines:
        correlation = "?" if line.correlation is None else f"{line.correlation:.2f}"
        agreeing, of = line.marks
        figures = [_text(line.figures[name]) for name in names]
        marks = f"{agreeing} of {of}"
        rows.append([line.reading.name, correlation, marks, *figures])
    printed = [figure.paper for figure in lines[0].figures.values()]
    figures = ["?" if p is None else f"{p:.2f}" for p in printed]
    rows.append(["the paper", "", "", *figures])
    titles = ["reading", "rank correlation", "marks", *names]
    return markdown.table(titles, rows) + "\n"


def effects(lines: Sequence[Line]) -> str:
    """What each choice alone does, as a Markdown table of means.

    The means of the choices for one setting are over readings that agree in the others:
    of the complete readings, those that have a counterpart with each of the choices. A
    setting without such readings has no row; without rows the text is empty.
    """
    complete = [line for line in lines if line.complete]
    names = list(lines[0].figures)
    rows = []
    for field, choices in CHOICES.items():
        for choice, having in _matched(complete, field, choices).items():
            measures = [[_known(x.correlation) for x in having]]
            measures += [[x.marks[0] for x in having]]
            measures += [[x.figures[name].error for x in having] for name in names]
            means = [f"{statistics.fmean(values):.2f}" for values in measures]
            rows.append([choice, len(having), *means])
    if not rows:
        return ""
    titles = ["choice", "readings", "rank correlation", "marks", *names]
    return markdown.table(titles, rows) + "\n"


def _matched(lines, field, choices):
    """For each choice its lines, as many as the other choices have, paired."""
    by_choice = {}
    for choice, value in choices.items():
        having = [line for line in lines if getattr(line.reading, field) == value]
        if having:
            by_choice[choice] = {_others(line.reading, field): line for line in having}
    shared = set.intersection(*map(set, by_choice.values())) if by_choice else set()
    if len(by_choice) < 2 or not shared:
        return {}
    return {
        choice: [line for others, line in having.items() if others in shared]
        for choice, having in by_choice.items()
    }


def _others(reading, field):
    """A reading's choices for the other settings."""
    return tuple(getattr(reading, name) for name in CHOICES if name != field)


def _text(figure):
    if figure.error is None:
        return "?"
    return f"{figure.error:.2f}{'°' if figure.beyond else ''}"
