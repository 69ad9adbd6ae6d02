"""The command that reproduces tables, or one figure of them."""

import dataclasses
import shlex
from collections.abc import Sequence

from keras_asymbp.benchmarks.tables.experiments import (
    EXPERIMENTS,
    Column,
    Experiment,
)
from keras_asymbp.benchmarks.tables.plan import Plan, Setup
from keras_asymbp.benchmarks.tables.protocol import (
    PRESETS,
    REQUESTED,
    Protocol,
)

PROGRAM = "python -m keras_asymbp.benchmarks"

# A flag each, beside --learning_rates; no other setting of a protocol has one.
_FLAGS = ("epochs", "learning_rates", *REQUESTED)


def reproduce(plans: Sequence[Plan]) -> str:
    """The command that makes the tables of plans that train alike."""
    names = list(dict.fromkeys(plan.experiment.name for plan in plans))
    words = ["--exp", "all" if names == list(EXPERIMENTS) else ",".join(names)]
    datasets = dict.fromkeys(plan.setup.dataset.name for plan in plans)
    words += ["--datasets", ",".join(datasets)]
    if any(plan.columns != plan.experiment.columns for plan in plans):
        models = dict.fromkeys(c.name for plan in plans for c in plan.columns)
        words += ["--models", ",".join(models)]
    experiment, setup = plans[0].experiment, plans[0].setup
    words += _training(setup)
    if experiment.validation_share and not setup.protocol.validation_share:
        words += ["--validation_share", "0"]
    return f"{PROGRAM} {shlex.join(words)}"


def model_flags(experiment: Experiment, column: Column) -> str:
    """The first half of the command for one figure: its model.

    >>> from keras_asymbp.benchmarks.tables import experiments
    >>> c2 = experiments.get("C2")
    >>> model_flags(c2, c2.columns[1])
    "--exp C2 --models 'SGD Bottom'"
    """
    return shlex.join(["--exp", experiment.name, "--models", column.name])


def setup_flags(setup: Setup) -> str:
    """The other half: the data set and the training."""
    return shlex.join(["--datasets", setup.dataset.name, *_training(setup)])


def without_flag(setup: Setup) -> list[str]:
    """The settings of a protocol, by name, that the command does not reproduce."""
    usual = PRESETS.get(setup.preset or "", Protocol())
    return [
        field.name
        for field in dataclasses.fields(Protocol)
        if field.name not in _FLAGS
        and getattr(setup.protocol, field.name) != getattr(usual, field.name)
    ]


def _training(setup):
    protocol = setup.protocol
    words = ["--preset", setup.base, "--epochs", str(protocol.epochs)]
    rates = ",".join(map(repr, protocol.learning_rates))  # to the last digit
    words += ["--learning_rates", rates]
    for name in REQUESTED:
        value = getattr(protocol, name)
        if value not in (None, 0):
            words += [f"--{name}", str(value)]
    return [*words, "--seeds", ",".join(map(str, setup.seeds))]
