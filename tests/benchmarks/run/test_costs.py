import dataclasses

import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.networks import NETWORKS, TABLE_1
from keras_asymbp.benchmarks.run import costs
from keras_asymbp.benchmarks.run.costs import (
    START,
    Cost,
    seconds,
    trial_seconds,
)
from keras_asymbp.benchmarks.tables.experiments import Column

# Before a fixture replaces them.
MEASURED = dict(costs.COSTS)
BN = Column("BN", normalization="BN")


@pytest.fixture(autouse=True)
def _costs(monkeypatch):
    known = {("mnist", False): Cost(2.0, 0.5), ("mnist", True): Cost(3.0, 0.25)}
    monkeypatch.setattr(costs, "COSTS", known)


@pytest.mark.parametrize("network", TABLE_1)
def test_every_network_of_the_paper_is_measured(network):
    plain, normalized = MEASURED[network, False], MEASURED[network, True]
    assert normalized.update > plain.update
    # In TIMIT's network, of small vectors, the difference is below 0.1 ms.
    assert normalized.forward >= plain.forward


def test_an_update_costs_more_than_a_forward_pass():
    for (network, _), cost in MEASURED.items():
        assert network in NETWORKS
        assert cost.update > cost.forward > 0


def test_a_trial_costs_its_updates_and_evaluations(make_cell):
    cell = make_cell(epochs=6)
    # 40 updates and 10 forward passes of 100 an epoch.
    assert trial_seconds(cell) == 6 * (40 * 2.0 + 10 * 0.5)


def test_batch_normalization_needs_its_statistics(make_cell):
    cell = make_cell(BN, epochs=6, statistics_batches=20)
    assert trial_seconds(cell) == 6 * (40 * 3.0 + 30 * 0.25)


def test_a_networks_own_normalization_needs_its_statistics_too(make_cell, monkeypatch):
    monkeypatch.setitem(costs.COSTS, ("resnet-20", True), Cost(3.0, 0.25))
    cell = make_cell(architecture="resnet-20", epochs=6, statistics_batches=20)
    assert trial_seconds(cell) == 6 * (40 * 3.0 + 30 * 0.25)


def test_limits_of_examples_count(make_cell):
    cell = make_cell(epochs=1, train_examples=500, test_examples=200)
    assert trial_seconds(cell) == 5 * 2.0 + 2 * 0.5


def test_models_are_built_once(make_cell):
    cells = [make_cell(seed=seed, epochs=1) for seed in (0, 1)]
    work = [(cell, trial) for cell in cells for trial in cell.trials()]
    assert seconds(work) == 10 * (40 * 2.0 + 10 * 0.5) + START
    assert seconds([]) == 0


def test_unknown_costs_are_none(make_cell):
    unknown = dataclasses.replace(datasets.get("mnist_5k"), counts=None)
    # The fixture has no cost of the network "svhn".
    for cell in (make_cell(architecture="svhn"), make_cell(dataset=unknown)):
        assert trial_seconds(cell) is None
        assert seconds([(cell, cell.trials()[0])]) is None
