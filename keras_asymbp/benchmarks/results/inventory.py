"""What a results folder holds: its setups, and the plans that show every trial."""

import collections
import dataclasses
import json
from collections.abc import Mapping, Sequence

from keras_asymbp.benchmarks.datasets import DATASETS, Dataset
from keras_asymbp.benchmarks.errors import UsageError, unknown
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import finished
from keras_asymbp.benchmarks.tables.cells import REVISION
from keras_asymbp.benchmarks.tables.experiments import ALL
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

        First those asked for; then, for each setup, the experiment that shows the most
        models that are not shown yet, with the fewest missing trials, until all are.

        Args:
            asked: Plans to begin with, whether they hold trials or not.
        """
        plans = [*asked]
        seen = {model for plan in plans for model in self._missing(plan)}
        for setup in self.setups:
            shown = [
                plan.experiment
                for plan in plans
                if plan.setup.subject() == setup.subject()
            ]
            others = (
                Plan(experiment, experiment.columns, setup)
                for experiment in ALL.values()
                if experiment not in shown
            )
            missing = {plan: self._missing(plan) for plan in others}
            while missing:
                new = {
                    plan: [lack for model, lack in models.items() if model not in seen]
                    for plan, models in missing.items()
                }
                plan = max(new, key=lambda plan: (len(new[plan]), -sum(new[plan])))
                if not new[plan]:
                    break
                plans.append(plan)
                seen |= missing.pop(plan).keys()
        order = list(ALL)
        return sorted(plans, key=lambda plan: _rank(plan.experiment.name, order))

    def _missing(self, plan: Plan) -> dict[str, int]:
        """A plan's stored models, each with its number of missing trials.

        A model is known by the settings of its trials, but for seed and rate.
        """
        missing: dict[str, int] = collections.defaultdict(int)
        for cell in plan.cells():
            if trials := finished(cell, self.store):
                settings = trials[0]["settings"] | _OF_A_RUN
                lack = len(cell.trials()) - len(trials)
                missing[json.dumps(settings, sort_keys=True)] += lack
        return missing


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
