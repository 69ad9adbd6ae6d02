"""Rows of made-up errors, filled from a store."""

import pytest

from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import fill
from keras_asymbp.benchmarks.tables.experiments import EXPERIMENTS
from keras_asymbp.benchmarks.tables.plan import Plan


@pytest.fixture
def make_row(tmp_path, make_plan, finish):
    """Makes a row of an experiment from errors in percent by model and seed."""

    def make(name, errors):
        experiment = EXPERIMENTS[name]
        store = Store(tmp_path)
        seeds = tuple(dict.fromkeys(s for by_seed in errors.values() for s in by_seed))
        plan = make_plan(experiment.columns, learning_rates=(0.5,), seeds=seeds)
        plan = Plan(experiment, experiment.columns, plan.setup)
        for cell in plan.cells():
            error = errors.get(cell.column.name, {}).get(cell.seed)
            if error is not None:
                finish(store, cell, cell.trials()[0], error / 100)
        return fill(plan, store)

    return make
