"""The command that reproduces tables or a single figure."""

import csv
import dataclasses
import io
from collections.abc import Sequence

from keras_asymbp.benchmarks.escaping import shell
from keras_asymbp.benchmarks.tables import readings
from keras_asymbp.benchmarks.tables.experiments import EXPERIMENTS, Column, Experiment
from keras_asymbp.benchmarks.tables.plan import Plan, Setup
from keras_asymbp.benchmarks.tables.protocol import PRESETS, REQUESTED, Protocol

PROGRAM = "python -m keras_asymbp.benchmarks"

# The settings of a protocol that have a flag.
_FLAGS = ("epochs", "learning_rates", *REQUESTED)


def reproduce(plans: Sequence[Plan]) -> str:
    """The command that makes the tables of plans with the same training."""
    names = list(dict.fromkeys(plan.experiment.argument for plan in plans))
    words = ["--exp", "all" if names == list(EXPERIMENTS) else _list(names)]
    datasets = dict.fromkeys(plan.setup.dataset.argument for plan in plans)
    words += ["--datasets", _list(datasets)]
    columns = list(dict.fromkeys(c for plan in plans for c in plan.columns))
    if any(plan.columns != plan.experiment.columns for plan in plans):
        words += ["--models", ",".join(dict.fromkeys(c.name for c in columns))]
    setup = plans[0].setup
    words += _training(setup, _rates(setup, columns))
    held_out = any(plan.experiment.validation_share for plan in plans)
    if held_out and not setup.protocol.validation_share:
        words += ["--validation_share", "0"]
    return f"{PROGRAM} {shell.join(words)}"


def model_flags(experiment: Experiment, column: Column, setup: Setup) -> str:
    """The first half of the command for one figure: model and learning rates.

    >>> from keras_asymbp.benchmarks import datasets
    >>> from keras_asymbp.benchmarks.tables import experiments
    >>> c2 = experiments.get("C2")
    >>> smoke = Setup(datasets.get("mnist_5k"), "1", PRESETS["smoke"], "smoke", (0,))
    >>> model_flags(c2, c2.columns[1], smoke)
    "--exp C2 --models 'SGD Bottom' --learning_rates 0.005,0.0005"
    """
    words = ["--exp", _list([experiment.argument]), "--models", column.name]
    return shell.join([*words, *_rates(setup, [column])])


def setup_flags(setup: Setup) -> str:
    """The second half of the command for one figure: data set and training."""
    datasets = _list([setup.dataset.argument])
    return shell.join(["--datasets", datasets, *_training(setup)])


def without_flag(setup: Setup) -> list[str]:
    """The names of a protocol's settings that the command does not reproduce."""
    usual = _usual(setup)
    if reading := readings.of(setup.protocol):
        usual = reading.applied(usual)
    return [
        field.name
        for field in dataclasses.fields(Protocol)
        if field.name not in _FLAGS
        and getattr(setup.protocol, field.name) != getattr(usual, field.name)
    ]


def _training(setup, rates=()):
    protocol = setup.protocol
    words = ["--preset", setup.base, "--epochs", str(protocol.epochs), *rates]
    if reading := setup.requested_reading:
        words += ["--reading", reading.name]
    for name in REQUESTED:
        value = getattr(protocol, name)
        if value not in (None, 0):
            words += [f"--{name}", str(value)]
    return [*words, "--seeds", ",".join(map(str, setup.seeds))]


def _usual(setup):
    return PRESETS.get(setup.base, Protocol())


def _list(names):
    """A flag's list of names, as absl reads it: a line of CSV."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="").writerow(names)
    return stream.getvalue()


def _rates(setup, columns):
    """The flag for the rates, which takes from models those of their own."""
    own = [bool(column.learning_rates) for column in columns]
    rates = setup.protocol.learning_rates
    if all(own) or (any(own) and rates == _usual(setup).learning_rates):
        return []
    # `repr` gives every digit.
    return ["--learning_rates", ",".join(map(repr, rates))]
