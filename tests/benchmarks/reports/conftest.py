"""Tables of made-up errors."""

import pytest

from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import Table, fill
from keras_asymbp.benchmarks.tables.experiments import Column

COLUMNS = (
    Column("SGD"),
    Column("RndF Bottom", rule="RndF", clamped="Bottom"),
    Column("SGD Top", clamped="Top"),
)


@pytest.fixture
def columns():
    return COLUMNS


@pytest.fixture
def table_of(tmp_path):
    """The table of one plan, filled from the results in `tmp_path`."""

    def table_of(plan, failures=None):
        return Table((fill(plan, Store(tmp_path), failures),))

    return table_of


@pytest.fixture
def make_table(tmp_path, make_plan, finish, table_of):
    """A table of made-up errors: two rates, the last column lacks a trial."""

    def make_table(
        columns=COLUMNS, errors=((0.03, 0.5), (0.9, 0.0599), (0.5,)), **plan
    ):
        store = Store(tmp_path)
        plan = make_plan(columns, **{"learning_rates": (0.005, 5e-5)} | plan)
        for cell in plan.cells():
            given = errors[plan.columns.index(cell.column)]
            for trial, error in zip(cell.trials(), given, strict=False):
                finish(store, cell, trial, error + cell.seed / 100)
        return table_of(plan)

    return make_table
