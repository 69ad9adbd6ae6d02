"""The depth study as data: which models on which networks, and what became of them."""

import csv
import dataclasses
import io
import itertools
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.networks import FAMILIES
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import finished
from keras_asymbp.benchmarks.tables.experiments import (
    Column,
    Experiment,
)
from keras_asymbp.benchmarks.tables.plan import Plan
from keras_asymbp.benchmarks.tables.protocol import Protocol

# Numbers of layers with weights, by family.
NETWORKS = {name: family.depths for name, family in FAMILIES.items()}
DEPTHS = (2, 4, 8, 14, 20)
# Each with its colour and its marker in the picture. The colours are Okabe and Ito's,
# which do not look alike to the colour-blind.
RULES = {
    "BP": ("#000000", "o"),
    "uSF": ("#0072B2", "s"),
    "NuSF": ("#56B4E9", "^"),
    "brSF": ("#E69F00", "D"),
    "frSF": ("#009E73", "v"),
    "RndF": ("#D55E00", "X"),
    "KP": ("#CC79A7", "P"),
    "WM": ("#8F7A00", "*"),
    "DFA": ("#7F7F7F", "d"),
}
# W and V of KP become one as they decay. In so few updates the protocol's decay does
# nothing; by this W - V falls to a fifth in two epochs at the rate 2e-3.
_DECAYS = {"KP": 1.0}


@dataclasses.dataclass(frozen=True)
class Help:
    """What a rule is helped by.

    Attributes:
        name: What is added to the rule's name; nothing where there is no help.
        settings: Of its columns.
        learning_rates: To search. The paper's lie too far apart for a deep network
            without help.
    """

    name: str
    settings: dict[str, Any]
    learning_rates: tuple[float, ...]

    def column(self, rule: str) -> Column:
        return Column(
            "+".join(filter(None, (rule, self.name))),
            feedback=rule,
            weight_decay=_DECAYS.get(rule),
            **self.settings,
        )


# Without help the error must keep its size on its way down, too; the paper's help, BN
# and BM, leaves nothing but its direction to count.
HELP = (
    Help("", {}, (2e-3, 2e-4, 2e-5)),
    Help("BN+BM", {"normalization": "BN", "setting": 1}, (1e-2, 2e-3, 2e-4)),
)

DEPTH = Experiment(
    name="depth",
    title="Error and alignment against depth",
    table="no table of the paper",
    columns=tuple(helped.column(rule) for helped in HELP for rule in RULES),
    baseline="BP",
)


@dataclasses.dataclass(frozen=True)
class Layer:
    """What was seen of a layer after training: angles in degrees, None if unknown.

    Attributes:
        name: Its name.
        angle: Of W and V.
        gradient_angle: Of its kernel's gradient and backpropagation's.
    """

    name: str
    angle: float | None
    gradient_angle: float | None


@dataclasses.dataclass(frozen=True)
class Run:
    """The best of the runs of a model on a network with a seed.

    Attributes:
        family: Of `NETWORKS`.
        depth: How many layers with weights the network has.
        column: The model.
        seed: The seed.
        learning_rate: The rate that was best.
        error: In percent.
        layers: The layers, bottom first; none if the run diverged.
    """

    family: str
    depth: int
    column: Column
    seed: int
    learning_rate: float
    error: float
    layers: tuple[Layer, ...]

    @property
    def rule(self) -> str:
        """The feedback rule's name, of `RULES`."""
        return self.column.name.partition("+")[0]

    @property
    def helped(self) -> str:
        """What the rule is helped by, of `HELP`."""
        return self.column.name.partition("+")[2]


def plans(
    networks: Iterable[tuple[str, int]],
    columns: tuple[Column, ...],
    rows: tuple[tuple[Dataset, str], ...],
    protocol: Protocol,
    preset: str,
    seeds: tuple[int, ...],
    learning_rates: tuple[float, ...] | None = None,
) -> list[Plan]:
    """What to run: a plan for each network and each help.

    Args:
        networks: Family and depth of each.
        columns: The models.
        rows: The data set, and its version.
        protocol: How models are trained, but for network and rates.
        preset: The preset that the protocol was made from.
        seeds: The seeds.
        learning_rates: What to search; None for the help's.
    """
    wanted = []
    for (family, depth), helped in itertools.product(networks, HELP):
        mine = tuple(c for c in columns if c in map(helped.column, RULES))
        network = dataclasses.replace(
            protocol,
            architecture=f"{family}-{depth}",
            learning_rates=learning_rates or helped.learning_rates,
        )
        if mine:
            wanted.append(Plan(DEPTH, mine, rows, network, preset, seeds))
    return wanted


def runs(plans: Sequence[Plan], store: Store) -> list[Run]:
    """The best run of each cell of which all runs are there."""
    found = []
    for cell in (cell for plan in plans for cell in plan.cells()):
        trials = finished(cell, store)
        if len(trials) < len(cell.trials()):
            continue
        best = trials[0]
        family, _, depth = cell.network.rpartition("-")
        found.append(
            Run(
                family=family,
                depth=int(depth),
                column=cell.column,
                seed=cell.seed,
                learning_rate=best["settings"]["learning_rate"],
                error=100 * best["result"]["best_error"],
                layers=tuple(
                    Layer(name, **angles)
                    for name, angles in (best["result"]["alignment"] or {}).items()
                ),
            )
        )
    return found


def over_seeds(
    runs: Iterable[Run], value: Callable[[Run], float | None]
) -> dict[int, float]:
    """The mean of the seeds of a value that runs have, by depth.

    Args:
        runs: Runs of one model on one family.
        value: Takes a run; a run of which it knows none is left out.
    """
    values = defaultdict(list)
    for run in runs:
        values[run.depth].append(value(run))
    means = {depth: mean(values[depth]) for depth in sorted(values)}
    return {depth: value for depth, value in means.items() if value is not None}


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of the values that are known; None if none is."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def lowest_gradient_angle(run: Run) -> float | None:
    """The angle of the lowest layer's gradient and backpropagation's, in degrees."""
    return run.layers[0].gradient_angle if run.layers else None


def tables(runs: Sequence[Run]) -> str:
    """Error and lowest gradient angle as tables of Markdown: the means of the seeds.

    A row for each model, a column for each network. `?` is what isn't known.

    Args:
        runs: One or more.
    """
    titles = {
        "error, %": (lambda run: run.error, ".2f"),
        "lowest layer, degrees": (lowest_gradient_angle, ".0f"),
    }
    networks = dict.fromkeys((run.family, run.depth) for run in runs)
    lines = []
    for title, (value, form) in titles.items():
        heads = [f"{family}-{depth}" for family, depth in networks]
        lines += [
            "",
            f"| {title} | {' | '.join(heads)} |",
            f"|:--{'|--:' * len(heads)}|",
        ]
        for model in dict.fromkeys(run.column.name for run in runs):
            known = {
                family: over_seeds(
                    (r for r in runs if (r.column.name, r.family) == (model, family)),
                    value,
                )
                for family in NETWORKS
            }
            cells = [
                format(known[family][depth], form) if depth in known[family] else "?"
                for family, depth in networks
            ]
            lines.append(f"| {model} | {' | '.join(cells)} |")
    return "\n".join(lines[1:]) + "\n"


def text(runs: Iterable[Run]) -> str:
    """The runs as CSV with a heading: a row for each layer, bottom first.

    A run without layers has one row. What isn't known is left empty.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        [
            *("network", "depth", "model", "feedback", "seed", "learning_rate"),
            *("error", "layer", "name", "angle", "gradient_angle"),
        ]
    )
    for run in runs:
        start = [run.family, run.depth, run.column.name, run.column.feedback]
        start += [run.seed, run.learning_rate, run.error]
        for number, layer in enumerate(run.layers, 1):
            writer.writerow([*start, number, *dataclasses.astuple(layer)])
        if not run.layers:
            writer.writerow([*start, *4 * [None]])
    return stream.getvalue()
