import base64
import dataclasses
import xml.etree.ElementTree as ElementTree

import pytest

from keras_asymbp.benchmarks import chart, datasets
from keras_asymbp.benchmarks.experiments import Column
from keras_asymbp.benchmarks.store import Store
from keras_asymbp.benchmarks.table import fill

COLUMNS = (Column("SGD"), Column("uSF", feedback="uSF"), Column("none of the paper's"))


@pytest.fixture
def make_table(make_plan, finish, tmp_path):
    """A table with the error of each column, by seed; None is not run."""

    def make_table(errors, dataset=None, columns=COLUMNS):
        rows = ((dataset or datasets.get("mnist_5k"), "1"),)
        seeds = tuple(range(len(errors[0])))
        plan = make_plan(columns, rows, seeds, learning_rates=(0.5,))
        store = Store(tmp_path)
        for cell in plan.cells():
            error = errors[columns.index(cell.column)][cell.seed]
            if error is not None:
                finish(store, cell, *cell.trials(), error)
        return fill(plan, store)

    return make_table


def words(picture):
    """The texts of a picture, which must be well-formed."""
    root = ElementTree.fromstring(picture)
    return [element.text for element in root.iter() if element.tag.endswith("}text")]


def test_it_names_what_it_shows(make_table):
    texts = words(chart.draw(make_table([[0.03], [0.9], [0.5]])))
    for text in ("SGD", "uSF", "none of the paper's", "mnist_5k (paper: MNIST)"):
        assert text in texts
    assert {"ours", "the paper", "our baseline", "error, %"} <= set(texts)


def test_an_empty_table_is_a_picture_too(make_table):
    assert "SGD" in words(chart.draw(make_table([[None], [None], [None]])))


def test_an_error_of_zero_and_missing_seeds(make_table):
    assert "SGD" in words(chart.draw(make_table([[0.0, 0.0], [0.5, None], [None] * 2])))


def test_the_same_table_is_the_same_picture(make_table):
    table = make_table([[0.03, 0.05], [0.9, 0.8], [0.5, 0.5]])
    assert chart.draw(table) == chart.draw(table)


def test_figures_are_in_the_picture(make_table):
    one = chart.draw(make_table([[0.03, 0.03], [0.9, 0.9], [0.5, 0.5]]))
    other = chart.draw(make_table([[0.03, 0.03], [0.9, 0.1], [0.5, 0.5]]))
    assert one != other


def test_names_are_taken_literally(make_table):
    name = '<script>$x_1$ & "$'
    dataset = dataclasses.replace(datasets.get("mnist_5k"), name=name)
    picture = chart.draw(make_table([[0.5]], dataset, (Column(name),)))
    assert "<script" not in picture
    assert f"{name} (paper: MNIST)" in words(picture)
    assert name in words(picture)


def test_as_a_url(make_table):
    table = make_table([[0.03], [0.9], [0.5]])
    head, _, data = chart.data_url(table).partition(",")
    assert head == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == chart.draw(table)
