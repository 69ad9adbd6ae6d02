"""What a results folder holds: on which data, by which protocol, with which seeds."""

import collections
import dataclasses
from typing import Any

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.cells import REVISION, Cell
from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.experiments import Column
from keras_asymbp.benchmarks.protocol import PRESETS, Protocol
from keras_asymbp.benchmarks.store import Store
from keras_asymbp.benchmarks.table import cell_error

_FIELDS = [f.name for f in dataclasses.fields(Protocol) if f.name != "learning_rates"]
# On request, and no part of what makes a preset.
_REQUESTED = ("architecture", "train_examples", "test_examples")


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


def find(store: Store) -> tuple[list[Setup], list[str]]:
    """The setups of the trials in a store, and a line for each trial of none."""
    groups: dict[tuple[str, str, Protocol], list[dict[str, Any]]]
    groups, problems = collections.defaultdict(list), []
    for trial in store.trials():
        settings = trial["settings"]
        try:
            if settings["revision"] != REVISION:
                raise UsageError(f"is of revision {settings['revision']}")
            dataset = datasets.get(settings["dataset"])
            protocol = Protocol(**{name: settings[name] for name in _FIELDS})
        except (UsageError, KeyError) as error:
            reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            problems.append(f"{store.folder / trial['file']}: {reason}; left alone")
            continue
        if protocol.architecture == dataset.architecture:
            protocol = dataclasses.replace(protocol, architecture=None)
        groups[dataset.name, settings["data_version"], protocol].append(settings)
    in_order = sorted(groups.items(), key=str)
    return [_setup(*key, found) for key, found in in_order], problems


def _setup(name, version, protocol, found):
    preset = _preset(protocol)
    if preset:
        rates = PRESETS[preset].learning_rates
    else:
        rates = tuple(sorted({s["learning_rate"] for s in found}, reverse=True))
    return Setup(
        datasets.get(name),
        version,
        dataclasses.replace(protocol, learning_rates=rates),
        preset,
        tuple(sorted({settings["seed"] for settings in found})),
    )


def _preset(protocol):
    for name, preset in PRESETS.items():
        ignored = {field: getattr(preset, field) for field in _REQUESTED}
        ignored["learning_rates"] = preset.learning_rates
        if dataclasses.replace(protocol, **ignored) == preset:
            return name
    return None
