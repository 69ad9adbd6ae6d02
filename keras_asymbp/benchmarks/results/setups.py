"""What a results folder holds: on which data, by which protocol, with which seeds."""

import collections
import dataclasses
from collections.abc import Mapping

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.errors import UsageError, unknown
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import cell_error
from keras_asymbp.benchmarks.tables import experiments
from keras_asymbp.benchmarks.tables.cells import REVISION, Cell
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.tables.protocol import (
    PRESETS,
    REQUESTED,
    Protocol,
)

# What settings have of a model, beside its weight decay.
_MODEL = ("feedback", "normalization", "setting", "clamped", "scale")


@dataclasses.dataclass(frozen=True)
class Setup:
    """A data set and a protocol: what trials must share to be compared.

    Attributes:
        dataset: The data set.
        version: Its version.
        protocol: The protocol; its rates are the preset's, or else all that were run.
        preset: Name of the preset that the protocol is of, or None.
        seeds: All seeds of which there are trials.
    """

    dataset: Dataset
    version: str
    protocol: Protocol
    preset: str | None
    seeds: tuple[int, ...]

    def errors(self, store: Store, column: Column) -> dict[int, float]:
        """A model's error in percent by seed, for each seed that is complete."""
        cells = {
            seed: Cell(self.dataset, self.version, column, self.protocol, seed)
            for seed in self.seeds
        }
        errors = {seed: cell_error(cell, store) for seed, cell in cells.items()}
        return {seed: error for seed, error in errors.items() if error is not None}


def find(
    store: Store, known: Mapping[str, Dataset] = datasets.DATASETS
) -> tuple[list[Setup], list[str]]:
    """The setups of the trials in a store, and a line for each trial of none.

    Args:
        store: The store.
        known: The data sets by name; results on others are of none.
    """
    groups: dict[tuple[str, str, Protocol], list[tuple[float, int]]]
    groups, problems = collections.defaultdict(list), []
    for trial in store.trials():
        settings = trial["settings"]
        try:
            if settings["revision"] != REVISION:
                raise UsageError(_other_revision(settings["revision"]))
            if settings["dataset"] not in known:
                raise unknown("data set", settings["dataset"], known)
            dataset = known[settings["dataset"]]
            version = settings["data_version"]
            protocol = Protocol.from_settings(settings)
            if _has_decay_of_its_own(settings):
                usual = Protocol().weight_decay
                protocol = dataclasses.replace(protocol, weight_decay=usual)
            run = settings["learning_rate"], settings["seed"]
        except (UsageError, KeyError) as error:
            reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            problems.append(f"{store.folder / trial['file']}: {reason}; left alone")
            continue
        if protocol.architecture == dataset.network:
            protocol = dataclasses.replace(protocol, architecture=None)
        groups[dataset.name, version, protocol].append(run)
    in_order = sorted(groups.items(), key=str)
    return [
        _setup(known[name], version, protocol, found)
        for (name, version, protocol), found in in_order
    ], problems


def _has_decay_of_its_own(settings):
    """Whether a trial's weight decay is its model's, and says nothing of the protocol.

    No command changes the protocol's, so that it was the usual one.
    """
    return any(
        column.weight_decay == settings["weight_decay"]
        and all(getattr(column, field) == settings.get(field) for field in _MODEL)
        for experiment in experiments.ALL.values()
        for column in experiment.columns
    )


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
    for name, preset in PRESETS.items():
        # A cut that a preset has itself is part of what makes it.
        ignored = [field for field in REQUESTED if not getattr(preset, field)]
        same = {name: getattr(preset, name) for name in ("learning_rates", *ignored)}
        if dataclasses.replace(protocol, **same) == preset:
            return name
    return None
