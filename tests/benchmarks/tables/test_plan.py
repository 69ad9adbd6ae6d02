import dataclasses
import itertools

import numpy as np
import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.tables.experiments import EXPERIMENTS
from keras_asymbp.benchmarks.tables.plan import Plan


def test_models_are_the_same_runs_if_their_settings_are(make_plan):
    for experiment in EXPERIMENTS.values():
        plan = Plan(experiment, experiment.columns, make_plan().setup)
        of_model = {
            cell.column.name: [cell.settings(trial) for trial in cell.trials()]
            for cell in plan.cells()
        }
        same = {
            pair
            for names in plan.same_runs()
            for pair in itertools.permutations(names, 2)
        }
        for one, other in itertools.permutations(of_model, 2):
            assert ((one, other) in same) == (of_model[one] == of_model[other])


def test_the_runs_of_c2_that_are_the_same(make_plan):
    c2 = EXPERIMENTS["C2"]
    plan = Plan(c2, c2.columns, make_plan().setup)
    assert plan.same_runs() == [
        ["SGD Top", "RndF Top"],
        ["RndF+BN+BM Top", "uSF+BN+BM Top"],
    ]


@pytest.mark.parametrize(
    ("name", "changes", "error"),
    [
        ("mnist", {}, 88.65),
        ("mnist", {"test_examples": 2000}, 90),
        ("mnist_5k", {}, 90),
        ("svhn", {}, 80.41),
        ("cifar100", {}, 99),
        ("sonnets", {}, 100 - 100 / 36),
    ],
)
def test_guessing_names_the_largest_class(name, changes, error, make_plan):
    setup = make_plan(dataset=datasets.get(name), **changes).setup
    assert setup.guessing == pytest.approx(error)


def test_guessing_knows_the_largest_class_of_a_users_data(make_plan):
    skewed = dataclasses.replace(datasets.get("mnist_5k"), largest_class=0.75)
    assert make_plan(dataset=skewed).setup.guessing == 25
    # A part is balanced.
    assert make_plan(dataset=skewed, test_examples=10).setup.guessing == 90


@pytest.mark.parametrize(
    "name", ["mnist", "cifar10", "caltech101", "flowers102", "mnist_5k"]
)
def test_guessing_is_that_of_the_labels(name, make_plan, tfds_data_dir):
    dataset = datasets.get(name)
    setup = make_plan(dataset=dataset).setup
    _, labels = dataset.labels(tfds_data_dir)
    largest = np.bincount(labels).max() / len(labels)
    assert setup.guessing == pytest.approx(100 * (1 - largest), abs=0.006)


def test_every_epoch_with_every_rate_is_a_look(make_plan):
    setup = make_plan(epochs=6, learning_rates=(0.1, 0.2, 0.3)).setup
    assert setup.looks == 18
    assert make_plan(epochs=6, validation_share=0.1).setup.looks == 1
