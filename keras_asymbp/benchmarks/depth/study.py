"""The depth study: its plans, and the runs that its tables and picture show."""

import dataclasses
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from keras_asymbp.benchmarks import networks
from keras_asymbp.benchmarks.escaping import markdown, spreadsheet
from keras_asymbp.benchmarks.networks import FAMILIES
from keras_asymbp.benchmarks.results.measures import MEASURES
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables.experiments import DEPTH, HELPS, Column
from keras_asymbp.benchmarks.tables.plan import Plan, Setup

DEPTHS = (2, 4, 8, 14, 20)
# The name of a model's help by its column's fields.
_HELP_NAMES = {(helped.normalization, helped.setting): helped.name for helped in HELPS}


@dataclasses.dataclass(frozen=True)
class Layer:
    """The alignment of a layer after training: angles in degrees, None if unknown.

    Attributes:
        name: The layer's name.
        angle: Angle between W and V.
        gradient_angle: Angle between the kernel's gradient and backpropagation's.
        measures: The `MEASURES` of its error and gradient; empty in a run that was
            stored before them.
    """

    name: str
    angle: float | None
    gradient_angle: float | None
    measures: Mapping[str, float | None] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Run:
    """The best run of a model, network and seed.

    Attributes:
        family: The network's family, a key of `networks.FAMILIES`.
        depth: The network's number of layers with weights.
        column: The model.
        seed: The seed.
        learning_rate: The best rate.
        error: Error in percent.
        layers: The layers, bottom first; empty if the run diverged.
    """

    family: str
    depth: int
    column: Column
    seed: int
    learning_rate: float
    error: float
    layers: tuple[Layer, ...]

    @property
    def helped(self) -> str:
        """The name of the rule's help in `experiments.HELPS`."""
        return _HELP_NAMES[self.column.normalization, self.column.setting]


def plans(
    chosen: Iterable[tuple[str, int]],
    columns: tuple[Column, ...],
    setup: Setup,
) -> list[Plan]:
    """A plan for each network.

    Args:
        chosen: Family and depth of each network.
        columns: The models.
        setup: Their setup; the network of its protocol is replaced.
    """
    protocols = (
        dataclasses.replace(
            setup.protocol, architecture=FAMILIES[family].network_name(depth)
        )
        for family, depth in chosen
    )
    return [
        Plan(DEPTH, columns, dataclasses.replace(setup, protocol=protocol))
        for protocol in protocols
    ]


def runs(plans: Iterable[Plan], store: Store) -> list[Run]:
    """The best run of each complete cell."""
    # Imports SciPy, which the command's help does without.
    from keras_asymbp.benchmarks.results.table import finished

    return [
        _run(cell, trials[0])
        for plan in plans
        for cell in plan.cells()
        if len(trials := finished(cell, store)) == len(cell.trials())
    ]


def _run(cell, best):
    network, result = networks.get(cell.network), best["result"]
    diagnostics = result.get("diagnostics") or {}
    return Run(
        family=network.family,
        depth=network.depth,
        column=cell.column,
        seed=cell.seed,
        learning_rate=best["settings"]["learning_rate"],
        error=100 * result["best_error"],
        layers=tuple(
            Layer(
                *(name, angles.get("angle"), angles.get("gradient_angle")),
                diagnostics.get(name, {}),
            )
            for name, angles in (result.get("alignment") or {}).items()
        ),
    )


def over_seeds(
    runs: Iterable[Run], value: Callable[[Run], float | None]
) -> dict[int, float]:
    """The mean of a value over seeds, by depth.

    Args:
        runs: Runs of one model on one family.
        value: The value of a run; runs with None are left out.
    """
    values = defaultdict(list)
    for run in runs:
        values[run.depth].append(value(run))
    means = {depth: mean(values[depth]) for depth in sorted(values)}
    return {depth: value for depth, value in means.items() if value is not None}


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of the known values; None without any."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def lowest_gradient_angle(run: Run) -> float | None:
    """The angle of the lowest layer's gradient to backpropagation's, in degrees."""
    return run.layers[0].gradient_angle if run.layers else None


def lowest_norm_ratio(run: Run) -> float | None:
    """The norm ratio of the error at the lowest layer to backpropagation's."""
    return run.layers[0].measures.get("error_norm_ratio") if run.layers else None


def tables(runs: Sequence[Run]) -> str:
    """Error, and angle and norm ratio at the lowest layer, as Markdown tables.

    Rows are models, columns are networks; a figure is the mean over seeds, `?` is
    unknown. Norm ratios are left out if no run has one.

    Args:
        runs: One or more runs.
    """
    titles = {
        "error, %": (lambda run: run.error, ".2f"),
        "lowest layer, degrees": (lowest_gradient_angle, ".0f"),
        "lowest layer, norm ratio of the error": (lowest_norm_ratio, ".2g"),
    }
    if not any(lowest_norm_ratio(run) is not None for run in runs):
        del titles["lowest layer, norm ratio of the error"]
    shown = dict.fromkeys((run.family, run.depth) for run in runs)
    found = []
    for title, (value, form) in titles.items():
        rows = []
        for model in dict.fromkeys(run.column.name for run in runs):
            known = {
                family: over_seeds(
                    (r for r in runs if (r.column.name, r.family) == (model, family)),
                    value,
                )
                for family in FAMILIES
            }
            cells = [
                format(known[family][depth], form) if depth in known[family] else "?"
                for family, depth in shown
            ]
            rows.append([model, *cells])
        heads = [FAMILIES[family].network_name(depth) for family, depth in shown]
        found.append(markdown.table([title, *heads], rows) + "\n")
    return "\n".join(found)


def text(runs: Iterable[Run]) -> str:
    """The runs as CSV with a heading: a row for each layer, bottom first.

    A run without layers has one row. Unknown values are empty.
    """
    names = (
        *("network", "depth", "model", "feedback", "seed", "learning_rate"),
        *("error", "layer", "name", "angle", "gradient_angle", *MEASURES),
    )
    return spreadsheet.text(names, (row for run in runs for row in _rows(run)))


def _rows(run):
    start = [run.family, run.depth, run.column.name, run.column.feedback]
    start += [run.seed, run.learning_rate, run.error]
    for number, layer in enumerate(run.layers, 1):
        yield [
            *(*start, number, layer.name, layer.angle, layer.gradient_angle),
            *map(layer.measures.get, MEASURES),
        ]
    if not run.layers:
        yield [*start, *(4 + len(MEASURES)) * [None]]
