"""The command that makes tables, or one figure of them."""

import dataclasses
import shlex
from collections.abc import Sequence

from keras_asymbp.benchmarks.datasets import Dataset
from keras_asymbp.benchmarks.tables.experiments import (
    EXPERIMENTS,
    Column,
    Experiment,
)
from keras_asymbp.benchmarks.tables.plan import Plan
from keras_asymbp.benchmarks.tables.protocol import (
    PRESETS,
    REQUESTED,
    Protocol,
)

PROGRAM = "python -m keras_asymbp.benchmarks"

# A flag each, beside --learning_rates; no other setting of a protocol has one.
_FLAGS = ("epochs", "learning_rates", *REQUESTED)


def reproduce(plans: Sequence[Plan]) -> str:
    """The command that makes the tables of plans of one setup."""
    plan = plans[0]
    names = [plan.experiment.name for plan in plans]
    words = ["--exp", "all" if names == list(EXPERIMENTS) else ",".join(names)]
    words += ["--datasets", ",".join(dataset.name for dataset, _ in plan.datasets)]
    if any(plan.columns != plan.experiment.columns for plan in plans):
        models = dict.fromkeys(c.name for plan in plans for c in plan.columns)
        words += ["--models", ",".join(models)]
    words += _training(plan.protocol, plan.preset, plan.seeds)
    if plan.experiment.validation_share and not plan.protocol.validation_share:
        words += ["--validation_share", "0"]
    return f"{PROGRAM} {shlex.join(words)}"


def model_flags(experiment: Experiment, column: Column) -> str:
    """The first half of the command for one figure: which model.

    >>> from keras_asymbp.benchmarks import experiments
    >>> c2 = experiments.get("C2")
    >>> model_flags(c2, c2.columns[1])
    "--exp C2 --models 'SGD Bottom'"
    """
    return shlex.join(["--exp", experiment.name, "--models", column.name])


def setup_flags(
    dataset: Dataset, protocol: Protocol, preset: str, seeds: Sequence[int]
) -> str:
    """The other half: on what, and how it is trained."""
    return shlex.join(["--datasets", dataset.name, *_training(protocol, preset, seeds)])


def without_flag(protocol: Protocol, preset: str) -> list[str]:
    """The settings of a protocol, by name, that the command does not make so.

    >>> without_flag(Protocol(weight_decay=0.0, epochs=3), "quick")
    ['weight_decay']
    """
    usual = PRESETS.get(preset, Protocol())
    return [
        field.name
        for field in dataclasses.fields(Protocol)
        if field.name not in _FLAGS
        and getattr(protocol, field.name) != getattr(usual, field.name)
    ]


def _training(protocol, preset, seeds):
    words = ["--preset", preset, "--epochs", str(protocol.epochs)]
    rates = ",".join(map(repr, protocol.learning_rates))  # to the last digit
    words += ["--learning_rates", rates]
    for name in REQUESTED:
        value = getattr(protocol, name)
        if value not in (None, 0):
            words += [f"--{name}", str(value)]
    return [*words, "--seeds", ",".join(map(str, seeds))]
