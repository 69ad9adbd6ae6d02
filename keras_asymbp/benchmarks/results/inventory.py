"""What a results folder holds: its setups, and the plans that show every trial."""

import collections
import dataclasses
import itertools
import json
from collections.abc import Mapping, Sequence

from keras_asymbp.benchmarks.datasets import DATASETS, Dataset
from keras_asymbp.benchmarks.errors import UsageError, unknown
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import finished
from keras_asymbp.benchmarks.tables.cells import REVISION
from keras_asymbp.benchmarks.tables.experiments import ALL, Column, Experiment
from keras_asymbp.benchmarks.tables.plan import Plan, Setup
from keras_asymbp.benchmarks.tables.protocol import PRESETS, REQUESTED, Protocol

# Settings in which the trials of one model differ.
_OF_A_RUN = dict.fromkeys(("seed", "learning_rate", "batch_schedule"))


@dataclasses.dataclass(frozen=True)
class Inventory:
    """What a store holds.

    Attributes:
        store: The store.
        setups: The setups that its trials share.
        problems: A line for each trial that fits no setup.
    """

    store: Store
    setups: tuple[Setup, ...]
    problems: tuple[str, ...]

    def plans(self, asked: Sequence[Plan] = ()) -> list[Plan]:
        """The plans that show every model of a known experiment, in the paper's order.

        First those asked for, then experiments that alone have a stored model, then
        any with a model that is not shown yet.

        Args:
            asked: Plans to begin with, whether they hold trials or not.
        """
        plans = [*asked]
        shown = {(plan.experiment, plan.setup.subject()) for plan in plans}
        seen = set().union(*(self._models(plan, plan.columns) for plan in plans))
        for columns, setup, experiment in itertools.product(
            (_own_columns, _all_columns), self.setups, ALL.values()
        ):
            plan = Plan(experiment, experiment.columns, setup)
            if (experiment, setup.subject()) not in shown and (
                self._models(plan, columns(experiment)) - seen
            ):
                plans.append(plan)
                shown.add((experiment, setup.subject()))
                seen |= self._models(plan, plan.columns)
        order = list(ALL)
        return sorted(plans, key=lambda plan: _rank(plan.experiment.name, order))

    def _models(self, plan: Plan, columns: Sequence[Column]) -> set[str]:
        """The columns' stored models: what their trials share but for seed and rate."""
        return {
            json.dumps({**trial["settings"], **_OF_A_RUN}, sort_keys=True)
            for column in columns
            for cell in plan.setup.cells(column)
            for trial in finished(cell, self.store)
        }


def take(store: Store, datasets: Mapping[str, Dataset] | None = None) -> Inventory:
    """Looks at everything that is in a store now.

    Args:
        store: The store; what other processes have added is read first.
        datasets: A user's own data sets, by name. Trials on data sets known neither
            here nor in the catalog fit no setup.
    """
    known = DATASETS | dict(datasets or {})
    store.refresh()
    runs: dict[tuple[str, str, Protocol], list[tuple[float, int]]]
    runs, problems = collections.defaultdict(list), []
    for trial in store.trials():
        try:
            key, run = _place(trial, known)
        except (UsageError, KeyError) as error:
            reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            problems.append(f"{store.folder / trial['file']}: {reason}; left alone")
        else:
            runs[key].append(run)
    setups = (
        _setup(known[name], version, protocol, some)
        for (name, version, protocol), some in sorted(runs.items(), key=str)
    )
    return Inventory(store, tuple(setups), tuple(problems))


def _place(trial, known):
    """The setup that a trial belongs to, and its rate and seed."""
    settings = trial["settings"]
    if settings["revision"] != REVISION:
        raise UsageError(_other_revision(settings["revision"]))
    if settings["dataset"] not in known:
        raise unknown("data set", settings["dataset"], known)
    dataset = known[settings["dataset"]]
    version = settings["data_version"]
    protocol = Protocol.from_settings(settings | _overridden(trial))
    if protocol.architecture == dataset.network:
        protocol = dataclasses.replace(protocol, architecture=None)
    run = settings["learning_rate"], settings["seed"]
    return (dataset.name, version, protocol), run


def _overridden(trial):
    """The protocol's settings where the model has its own; see `Cell.overridden`.

    Trials stored before they recorded these have a weight decay of their own for
    Kolen-Pollack feedback alone, always 1.
    """
    if "overridden" in trial:
        return trial["overridden"]
    settings = trial["settings"]
    own = (settings.get("feedback"), settings.get("weight_decay")) == ("KP", 1.0)
    return {"weight_decay": Protocol().weight_decay} if own else {}


def _other_revision(revision):
    """What to do with a result that this version would not give."""
    if isinstance(revision, int) and revision < REVISION:
        todo = "results have changed since, and the same command runs it anew"
    else:
        todo = "update keras-asymbp"
    return f"is of revision {revision}, not {REVISION}: {todo}"


def _setup(dataset, version, protocol, runs):
    preset = _preset(protocol)
    if preset:
        rates = PRESETS[preset].learning_rates
    else:
        rates = tuple(sorted({rate for rate, _ in runs}, reverse=True))
    return Setup(
        dataset,
        version,
        dataclasses.replace(protocol, learning_rates=rates),
        preset,
        tuple(sorted({seed for _, seed in runs})),
    )


def _preset(protocol):
    """The preset that a protocol is of; a cut that was requested doesn't count."""
    for name, preset in PRESETS.items():
        # A cut that a preset has itself is part of it.
        ignored = [field for field in REQUESTED if not getattr(preset, field)]
        same = {name: getattr(preset, name) for name in ("learning_rates", *ignored)}
        if dataclasses.replace(protocol, **same) == preset:
            return name
    return None


def _rank(name, order):
    """Known experiments in their order, then others by name."""
    return (order.index(name), "") if name in order else (len(order), name)


def _all_columns(experiment: Experiment) -> Sequence[Column]:
    return experiment.columns


def _own_columns(experiment: Experiment) -> Sequence[Column]:
    """The models that an experiment has alone.

    A model that the paper and a peer share is the paper's.
    """
    others = {
        _nameless(column)
        for other in ALL.values()
        if other is not experiment and other.source in ("paper", experiment.source)
        for column in other.columns
    }
    return [c for c in experiment.columns if _nameless(c) not in others]


def _nameless(column: Column) -> Column:
    """A model, whatever a table calls it."""
    return dataclasses.replace(column, name="")
