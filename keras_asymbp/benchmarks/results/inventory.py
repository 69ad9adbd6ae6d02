"""The inventory of a results folder: its setups, and plans that show every trial."""

import collections
import dataclasses
from collections.abc import Mapping, Sequence

from keras_asymbp.benchmarks.datasets import DATASETS, Dataset
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.escaping.printable import printable
from keras_asymbp.benchmarks.results import definitions
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import finished, stored
from keras_asymbp.benchmarks.tables import presets
from keras_asymbp.benchmarks.tables.cells import Common, Model, model
from keras_asymbp.benchmarks.tables.experiments import ALL, Experiment, without_rates
from keras_asymbp.benchmarks.tables.plan import Plan, Setup
from keras_asymbp.benchmarks.tables.protocol import (
    PRESETS,
    REVISION,
    Protocol,
)


@dataclasses.dataclass(frozen=True)
class Inventory:
    """The contents of a store.

    Attributes:
        store: The store.
        setups: The setups of its trials.
        problems: A line for each trial without a setup, and for each unusable
            definition of an experiment.
        own: The experiments that users have defined.
        rates_given: Whether the searched rates were given; a model's own do not count
            then.
    """

    store: Store
    setups: tuple[Setup, ...]
    problems: tuple[str, ...]
    own: tuple[Experiment, ...] = ()
    rates_given: bool = False

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """The package's experiments, then the users' own."""
        return (*ALL.values(), *self.own)

    def plans(self, asked: Sequence[Plan] = ()) -> list[Plan]:
        """The plans that show every model of a known experiment, in the paper's order.

        The requested plans come first, and users' own experiments of which at least
        half the models are stored. Then, for each setup, the experiment is added that
        shows the most further models, with the fewest missing trials, until every model
        is shown.

        Args:
            asked: The requested plans, shown even without trials.
        """
        own = self._defined(asked)
        plans = [*asked, *self._own_plans(own, asked)]
        seen = {model for plan in plans for model in self._missing(plan)}
        shown = collections.defaultdict(list)
        for plan in plans:
            shown[plan.setup.subject].append(plan.experiment)
        for setup in self.setups:
            others = [
                (plan, self._missing(plan))
                for experiment in (*ALL.values(), *own)
                if experiment not in shown[setup.subject]
                for plan in [self._plan(experiment, setup)]
            ]
            while others:
                new = [
                    [lack for model, lack in models.items() if model not in seen]
                    for _, models in others
                ]
                best = max(range(len(new)), key=lambda n: (len(new[n]), -sum(new[n])))
                if not new[best]:
                    break
                plan, models = others.pop(best)
                plans.append(plan)
                seen |= models.keys()
        order = list(ALL)
        return sorted(plans, key=lambda plan: _rank(plan.experiment.name, order))

    def nothing(self, shown: str) -> UsageError:
        """The error of a command that has no plan to show.

        Args:
            shown: What it would show, such as "a report".
        """
        trials = self.store.trials()
        stored = {trial["settings"]["learning_rate"] for trial in trials}
        searched = {r for s in self.setups for r in s.protocol.learning_rates}
        step = (
            "run an experiment first, wait for the first trial of the one that runs, "
            "or name your own data sets with --datasets"
        )
        if self.setups and not stored & searched:
            rates = ",".join(map(repr, sorted(stored, reverse=True)))
            step = f"give the learning rates of the run, --learning_rates={rates}"
        return UsageError(
            f"no finished trial in {self.store.folder} that {shown} can show: {step}"
        )

    def _plan(self, experiment, setup):
        columns = experiment.columns
        if self.rates_given:
            columns = without_rates(columns)
        return Plan(experiment, columns, setup)

    def _defined(self, asked):
        """The users' experiments; a requested one replaces that of its name."""
        new = {plan.experiment.name.casefold(): plan.experiment for plan in asked}
        return [new.get(each.name.casefold(), each) for each in self.own]

    def _own_plans(self, own, asked):
        """Plans of users' experiments of which at least half the models are stored."""
        shown = {(plan.experiment, plan.setup.subject) for plan in asked}
        return [
            self._plan(experiment, setup)
            for setup in self.setups
            for experiment in own
            if (experiment, setup.subject) not in shown
            and 2 * len(stored(setup, experiment.columns, self.store))
            >= len(experiment.columns)
        ]

    def _missing(self, plan: Plan) -> dict[tuple[Common, Model], int]:
        """A plan's stored models, each with its number of missing trials."""
        setup = plan.setup
        missing: dict[tuple[Common, Model], int] = collections.defaultdict(int)
        for column in stored(setup, plan.columns, self.store):
            for cell in setup.cells(column):
                if trials := finished(cell, self.store):
                    lack = len(cell.trials()) - len(trials)
                    missing[setup.common, model(column, setup.protocol)] += lack
        return missing


def take(
    store: Store,
    datasets: Mapping[str, Dataset] | None = None,
    learning_rates: tuple[float, ...] | None = None,
) -> Inventory:
    """Takes the inventory of a store.

    Args:
        store: The store; it is refreshed first.
        datasets: A user's own data sets, by name. Trials on data sets neither here nor
            in the catalog have no setup.
        learning_rates: The rates that were searched, as a run's `--learning_rates`;
            None for a model's own, or those of the preset. Where no preset fits, they
            are those of the preset that flags changed if all of them were run,
            otherwise all that were run.
    """
    known = DATASETS | dict(datasets or {})
    store.refresh()
    runs: dict[tuple[str, str, Protocol], list[tuple[float, int]]]
    runs, problems = collections.defaultdict(list), []
    for trial in store.trials():
        try:
            key, run = _assign(trial, known)
        except UsageError as error:
            file, reason = printable(store.folder / trial["file"]), printable(error)
            problems.append(f"{file}: {reason}; left alone")
        else:
            runs[key].append(run)
    setups = (
        _setup(known[name], version, protocol, of_setup, learning_rates)
        for (name, version, protocol), of_setup in sorted(runs.items(), key=_order)
    )
    own, unusable = definitions.read(store.folder)
    given = learning_rates is not None
    return Inventory(store, tuple(setups), (*problems, *unusable), tuple(own), given)


def _order(item):
    """Sorts setups by data set, version and the protocol's values, None last."""
    (name, version, protocol), _ = item
    values = (getattr(protocol, each.name) for each in dataclasses.fields(protocol))
    return name, version, [(v is None, 0 if v is None else v) for v in values]


def _assign(trial, known):
    """The setup of a trial as a key, and the trial's rate and seed."""
    settings = trial["settings"]
    if settings["revision"] > REVISION:
        raise UsageError(
            f"is of revision {settings['revision']}, expected 1 to {REVISION}: update "
            "keras-asymbp"
        )
    if settings["dataset"] not in known:
        raise UsageError(
            f"is on {settings['dataset']}, a data set of its user: name it, as in "
            "--datasets mine.npz"
        )
    dataset = known[settings["dataset"]]
    version = settings["data_version"]
    protocol = Protocol.from_settings(settings | _overridden(trial))
    if protocol.architecture == dataset.network:
        protocol = dataclasses.replace(protocol, architecture=None)
    run = settings["learning_rate"], settings["seed"]
    return (dataset.name, version, protocol), run


def _overridden(trial):
    """The protocol's values of overridden settings; see `Cell.overridden`.

    Old trials do not record them: only Kolen-Pollack feedback overrode a setting, the
    weight decay, always with 1.
    """
    if "overridden" in trial:
        return trial["overridden"]
    settings = trial["settings"]
    own = (settings.get("feedback"), settings.get("weight_decay")) == ("KP", 1.0)
    return {"weight_decay": Protocol().weight_decay} if own else {}


def _setup(dataset, version, protocol, runs, rates):
    preset = presets.of(protocol)
    if rates is None:
        usual = PRESETS[preset or presets.base(protocol)].learning_rates
        found = {rate for rate, _ in runs}
        # More than the usual ones are a model's own, or the ablation's.
        rates = (
            usual
            if preset or found.issuperset(usual)
            else tuple(sorted(found, reverse=True))
        )
    return Setup(
        dataset,
        version,
        dataclasses.replace(protocol, learning_rates=rates),
        preset,
        tuple(sorted({seed for _, seed in runs})),
    )


def _rank(name, order):
    """Sorts known experiments in their order, then others by name."""
    return (order.index(name), "") if name in order else (len(order), name)
