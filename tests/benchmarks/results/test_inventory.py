import dataclasses

import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.results import inventory
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import errors
from keras_asymbp.benchmarks.tables import experiments
from keras_asymbp.benchmarks.tables.cells import Cell
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.tables.protocol import PRESETS, REVISION

SGD, USF = Column("SGD"), Column("uSF", rule="uSF")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def run(store, finish):
    """Stores trials of a cell with these errors; further trials are missing."""

    def run(cell, *figures):
        for trial, error in zip(cell.trials(), figures, strict=False):
            finish(store, cell, trial, error)

    return run


def test_an_empty_store_has_no_setups(store):
    held = inventory.take(store)
    assert (held.setups, held.problems, held.plans()) == ((), (), [])


def test_trials_with_the_same_training_share_a_setup(store, run, make_cell):
    for seed in (0, 2):
        for column in (SGD, USF):
            run(make_cell(column, seed=seed), 0.5, 0.25)
    held = inventory.take(store)
    (setup,) = held.setups
    assert held.problems == ()
    assert setup.dataset is datasets.get("mnist_5k")
    assert (setup.preset, setup.seeds) == ("quick", (0, 2))
    # All rates of the preset, run or not.
    assert setup.protocol == PRESETS["quick"]


def test_different_settings_make_different_setups(store, run, make_cell):
    changes = [
        {},
        {"epochs": 65},
        {"epochs": 7},
        {"train_examples": 100},
        {"architecture": "cifar"},
        {"version": "2"},
    ]
    for change in changes:
        run(make_cell(**change), 0.5)
    setups = inventory.take(store).setups
    assert len(setups) == len(changes)
    by_epochs = {(s.protocol.epochs, s.preset) for s in setups}
    assert by_epochs == {(6, "quick"), (65, "paper"), (7, None)}
    # Fewer examples or another network do not change the preset.
    for setup in setups:
        if setup.protocol.train_examples or setup.protocol.architecture:
            assert setup.preset == "quick"


def test_without_a_preset_the_rates_are_those_of_the_trials(store, run, make_cell):
    run(make_cell(epochs=7, learning_rates=(0.5, 0.125)), 0.5, 0.5)
    (setup,) = inventory.take(store).setups
    assert setup.protocol.learning_rates == (0.5, 0.125)


def test_rates_of_a_model_s_own_are_not_expected_of_the_others(store, run, make_cell):
    own = next(c for c in experiments.get("BM-family").columns if c.learning_rates)
    run(make_cell(SGD, epochs=7), *[0.5] * 5)
    run(make_cell(own, epochs=7), *[0.25] * len(own.learning_rates))
    (setup,) = inventory.take(store).setups
    assert setup.preset is None
    assert setup.protocol.learning_rates == PRESETS["quick"].learning_rates
    assert errors(setup, SGD, store) == {0: 50.0}
    assert errors(setup, own, store) == {0: 25.0}


def test_rates_that_were_asked_for_are_all_that_is_expected(store, run, make_cell):
    cell = make_cell(learning_rates=(5e-3, 5e-4))
    run(cell, 0.5, 0.25)
    (setup,) = inventory.take(store, learning_rates=(5e-3, 5e-4)).setups
    assert setup.preset == "quick"
    assert setup.protocol.learning_rates == (5e-3, 5e-4)
    assert errors(setup, SGD, store) == {0: 25.0}


def test_rates_that_were_asked_for_replace_those_of_a_model(store, run, make_cell):
    columns = [c for c in experiments.get("BM-family").columns if c.learning_rates]
    asked = tuple(dataclasses.replace(c, learning_rates=None) for c in columns)
    for column in asked:
        run(make_cell(column, learning_rates=(2e-4,)), 0.5)
    (plan,) = inventory.take(store, learning_rates=(2e-4,)).plans()
    assert plan.experiment.name == "BM-family"
    found = {c.name: errors(plan.setup, c, store) for c in plan.columns}
    assert columns
    assert [found[column.name] for column in columns] == [{0: 50.0}] * len(columns)
    # Not asked for, the model's own rates are expected.
    held = inventory.take(store)
    assert errors(held.setups[0], columns[0], store) == {}


def test_a_preset_with_fewer_examples_is_recognized(store, run, make_cell):
    smoke = dataclasses.asdict(PRESETS["smoke"])
    rates = PRESETS["quick"].learning_rates
    run(make_cell(**smoke), 0.5, 0.5)
    run(make_cell(epochs=1), 0.25, 0.5, 0.5, 0.5, 0.5)
    run(make_cell(epochs=1, train_examples=100), 0.5)
    by_cut = {s.protocol.train_examples: s for s in inventory.take(store).setups}
    assert by_cut[500].preset == "smoke"
    assert by_cut[500].protocol == PRESETS["smoke"]
    # One epoch of all data is not the smoke preset, so all five rates count.
    assert (by_cut[None].preset, by_cut[None].protocol.learning_rates) == (None, rates)
    assert errors(by_cut[None], SGD, store) == {0: 25.0}
    assert (by_cut[100].preset, by_cut[100].protocol.learning_rates) == (None, (5e-2,))


def test_errors_are_of_complete_seeds(store, run, make_cell):
    run(make_cell(SGD, seed=0), 0.5, 0.25, 0.9, 0.9, 0.9)
    run(make_cell(SGD, seed=1), 0.5, 0.25)
    run(make_cell(SGD, seed=2), 0.5, 0.125, 0.9, 0.9, 0.9)
    (setup,) = inventory.take(store).setups
    assert setup.seeds == (0, 1, 2)
    assert errors(setup, SGD, store) == {0: 25.0, 2: 12.5}
    assert errors(setup, USF, store) == {}


def test_a_trial_counts_for_columns_of_another_name(store, run, make_cell):
    run(make_cell(Column("BM1", setting=1)), *[0.5] * 5)
    (setup,) = inventory.take(store).setups
    assert errors(setup, Column("BM", setting=1), store) == {0: 50.0}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda settings: settings.update(dataset="gone"),
            "is on gone, a data set of its user: name it, as in --datasets mine.npz",
        ),
        (lambda settings: settings.update(revision=99), "update keras-asymbp"),
    ],
)
def test_a_trial_without_a_setup_is_reported(change, words, store, run, make_cell):
    cell = make_cell()
    settings = cell.settings(cell.trials()[0])
    change(settings)
    store.put("other", {"settings": settings, "result": {}})
    run(make_cell(seed=5), 0.5)
    held = inventory.take(store)
    (setup,), (problem,) = held.setups, held.problems
    assert setup.seeds == (5,)
    assert words in problem
    assert "trials/other" in problem
    assert problem.endswith("left alone")


def test_revisions_are_not_mixed(store, run, make_cell):
    run(make_cell(revision=1, seed=3), *[0.5] * 5)
    run(make_cell(), *[0.25] * 5)
    setups = inventory.take(store).setups
    assert [setup.preset for setup in setups] == ["quick", "quick"]
    found = {s.protocol.revision: errors(s, Column("SGD"), store) for s in setups}
    assert found == {1: {3: 50.0}, REVISION: {0: 25.0}}


def test_versions_of_a_data_set_are_not_mixed(store, run, make_cell):
    """Results stored under a version of TFDS stand beside those of a digest."""
    run(make_cell(version="3.0.1", seed=3), *[0.5] * 5)
    run(make_cell(version="sha256-0123"), *[0.25] * 5)
    setups = inventory.take(store).setups
    found = {s.version: errors(s, Column("SGD"), store) for s in setups}
    assert found == {"3.0.1": {3: 50.0}, "sha256-0123": {0: 25.0}}
    assert len(inventory.take(store).plans()) == 2


def test_setups_with_an_empty_text_are_sorted(store, run, make_cell):
    """A file of a program may have one; it is no number."""
    for initializer in ("he_normal", ""):
        run(make_cell(kernel_initializer=initializer), 0.5)
    assert len(inventory.take(store).setups) == 2


def test_setups_are_sorted_by_their_numbers(store, run, make_cell):
    """As text, 1000 would precede 500."""
    sizes = [None, 1000, 500, 2000]
    for size in sizes:
        run(make_cell(train_examples=size), 0.5)
    setups = inventory.take(store).setups
    found = [setup.protocol.train_examples for setup in setups]
    assert found == [500, 1000, 2000, None]


def test_the_data_sets_own_network_makes_no_other_setup(store, run, make_cell):
    run(make_cell(architecture="mnist"), 0.5)
    (setup,) = inventory.take(store).setups
    assert setup.protocol.architecture is None
    assert setup.protocol == PRESETS["quick"]


def test_validation_and_augmentation_make_other_setups(store, run, make_cell):
    changes = [{}, {"validation_share": 0.1}, {"augmentation": "standard"}]
    for change in changes:
        run(make_cell(**change), 0.5)
    held = inventory.take(store)
    assert held.problems == ()
    assert {
        (s.protocol.validation_share, s.protocol.augmentation, s.preset)
        for s in held.setups
    } == {(0.0, None, "quick"), (0.1, None, "quick"), (0.0, "standard", "quick")}


def test_a_models_own_weight_decay_makes_no_other_setup(store, run, make_cell):
    kp = next(c for c in experiments.FA_BENCH.columns if c.name == "KP")
    assert kp.weight_decay is not None
    for column in (experiments.FA_BENCH.columns[0], kp):
        run(make_cell(column), *[0.5] * 5)
    held = inventory.take(store)
    (setup,), problems = held.setups, held.problems
    assert (setup.protocol, setup.preset, problems) == (PRESETS["quick"], "quick", ())
    assert errors(setup, kp, store) == {0: 50.0}
    # For another model the same decay is the protocol's.
    run(make_cell(weight_decay=kp.weight_decay), 0.5)
    decays = {s.protocol.weight_decay for s in inventory.take(store).setups}
    assert decays == {PRESETS["quick"].weight_decay, kp.weight_decay}


def test_planning_costs_what_is_stored(store, run, make_cell, monkeypatch):
    """The trials of models without any are not listed, and no settings are hashed."""
    for epochs in range(7, 17):
        run(make_cell(epochs=epochs), 0.5)
    held = inventory.take(store)
    for setup in held.setups:
        assert setup.common  # made of settings, once
    listed, trials = [], Cell.trials
    monkeypatch.setattr(
        Cell, "trials", lambda cell: listed.append(cell) or trials(cell)
    )
    monkeypatch.setattr(Cell, "settings", None)
    assert len(held.plans()) == 10
    models = {(cell.column.feedback, cell.column.setting) for cell in listed}
    assert models == {("BP", 0)}
