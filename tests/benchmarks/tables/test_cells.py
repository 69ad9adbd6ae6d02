import dataclasses
import json

import pytest

from keras_asymbp.benchmarks.results.store import trial_id
from keras_asymbp.benchmarks.tables.cells import TrialSpec, common, key, model
from keras_asymbp.benchmarks.tables.experiments import ALL, Column
from keras_asymbp.benchmarks.tables.protocol import Protocol

TWO_SCHEDULES = (((0, None),), ((0, 100), (3, 500)))


def first_id(cell):
    return trial_id(cell.settings(cell.trials()[0]))


def other(value):
    match value:
        case str():
            return f"not {value}"
        case int():
            return value + 1
        case float():
            return value / 2 or 0.5
        case None:
            return 7
        case tuple():
            return (*value, 0.125)


def test_trials_combine_every_schedule_with_every_rate(make_cell):
    cell = make_cell(
        Column("uSF+BM", batch_schedules=TWO_SCHEDULES), learning_rates=(0.5, 0.25)
    )
    assert cell.trials() == [
        TrialSpec(0.5, ((0, 100),)),
        TrialSpec(0.25, ((0, 100),)),
        TrialSpec(0.5, ((0, 100), (3, 500))),
        TrialSpec(0.25, ((0, 100), (3, 500))),
    ]


def test_a_columns_batch_size_overrides_the_protocols(make_cell):
    column = Column("SGD", batch_schedules=(((0, None), (2, 7)),))
    (trial,) = make_cell(column, batch_size=50, learning_rates=(1.0,)).trials()
    assert trial.batch_schedule == ((0, 50), (2, 7))


@pytest.mark.parametrize(
    ("epochs", "batch_size", "expected"),
    [
        (6, 100, [((0, 100),), ((0, 100), (3, 500))]),
        (4, 100, [((0, 100),), ((0, 100), (3, 500))]),
        (3, 100, [((0, 100),)]),  # the fourth epoch is never reached
        (6, 500, [((0, 500),)]),  # nothing grows
    ],
)
def test_equal_schedules_are_trained_once(epochs, batch_size, expected, make_cell):
    column = Column("uSF+BM", batch_schedules=(((0, None),), ((0, None), (3, 500))))
    cell = make_cell(
        column, epochs=epochs, batch_size=batch_size, learning_rates=(0.5, 0.25)
    )
    schedules = [trial.batch_schedule for trial in cell.trials()]
    assert schedules == [schedule for schedule in expected for _ in range(2)]


def test_a_protocols_network_overrides_the_data_sets(make_cell):
    cell, other = make_cell(), make_cell(architecture="cifar")
    assert (cell.network, other.network) == ("mnist", "cifar")
    assert other.settings(other.trials()[0])["architecture"] == "cifar"
    # Requested by name or not, it is the same network.
    assert first_id(make_cell(architecture="mnist")) == first_id(cell)


def test_a_columns_weight_decay_overrides_the_protocols(make_cell):
    own = make_cell(Column("KP", weight_decay=0.25), weight_decay=0.5)
    assert own.weight_decay == own.settings(own.trials()[0])["weight_decay"] == 0.25
    assert make_cell(Column("KP"), weight_decay=0.5).weight_decay == 0.5
    # The same value has the same id, from column or protocol.
    same = Column("KP", weight_decay=5e-4)
    assert first_id(make_cell(same)) == first_id(make_cell(Column("KP")))


def test_settings_are_json(make_cell):
    cell = make_cell(Column("uSF+BM", batch_schedules=TWO_SCHEDULES))
    for trial in cell.trials():
        settings = cell.settings(trial)
        assert json.loads(json.dumps(settings)) == settings


def test_every_trial_of_a_cell_has_its_own_id(make_cell):
    cell = make_cell(Column("uSF+BM", batch_schedules=TWO_SCHEDULES))
    ids = {trial_id(cell.settings(trial)) for trial in cell.trials()}
    assert len(ids) == len(cell.trials()) == 10


# The id depends on the protocol's batch size even if the column has its own.
@pytest.mark.parametrize("schedule", [((0, None),), ((0, 20),)])
@pytest.mark.parametrize(
    "field",
    [f.name for f in dataclasses.fields(Protocol) if f.name != "learning_rates"],
)
def test_every_setting_of_the_protocol_changes_the_id(field, schedule, make_cell):
    column = Column("BN", normalization="BN", batch_schedules=(schedule,))
    cell = make_cell(column)
    changed = make_cell(column, **{field: other(getattr(cell.protocol, field))})
    assert changed != cell
    assert first_id(changed) != first_id(cell)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rule", "uSF"),
        ("flip_probability", 0.25),
        ("normalization", "BN"),
        ("normalization", "BN learnable"),
        ("setting", 1),
        ("clamped", "Top"),
        ("batch_schedules", (((0, 50),),)),
        ("weight_decay", 1.0),
        ("scale", "init_std"),
        ("optimizer", "Lion"),
    ],
)
def test_every_setting_of_the_column_changes_the_id(field, value, make_cell):
    assert first_id(make_cell(Column("SGD", **{field: value}))) != first_id(make_cell())


def test_every_field_of_the_column_is_tested_here():
    assert {field.name for field in dataclasses.fields(Column)} == {
        *("name", "rule", "flip_probability", "normalization", "setting"),
        *("clamped", "batch_schedules", "weight_decay", "scale", "learning_rates"),
        "optimizer",
    }


def test_seed_data_and_rate_change_the_id(make_cell, tiny):
    cells = [
        make_cell(),
        make_cell(seed=1),
        make_cell(version="2"),
        make_cell(dataset=tiny),
        make_cell(learning_rates=(0.125,)),
    ]
    assert len({first_id(cell) for cell in cells}) == len(cells)


def test_a_columns_name_does_not_change_the_id(make_cell):
    assert first_id(make_cell(Column("SGD"))) == first_id(make_cell(Column("baseline")))


def test_other_rates_of_the_search_do_not_change_the_id(make_cell):
    cell = make_cell(learning_rates=(0.5,))
    more = make_cell(learning_rates=(0.5, 0.25))
    assert first_id(cell) == first_id(more)


COLUMNS = [column for experiment in ALL.values() for column in experiment.columns]
KEY_PROTOCOLS = [
    {},
    {"weight_decay": 1.0, "architecture": "lenet-mnist", "train_examples": 500},
    {"validation_share": 0.1, "bias_decay": False, "augmentation": "standard"},
]


@pytest.mark.parametrize("protocol", KEY_PROTOCOLS)
def test_the_parts_of_a_key_are_those_of_the_settings(protocol, make_cell):
    for column in COLUMNS:
        cell = make_cell(column, seed=3, **protocol)
        of_setup = common(cell.dataset, cell.data_version, cell.protocol)
        for trial in cell.trials():
            found = json.loads(json.dumps(cell.settings(trial)))
            of_model = model(column, cell.protocol)
            assert key(found) == (of_setup, of_model, trial.run(3))


def test_keys_differ_as_ids_do(make_cell):
    protocols = [*KEY_PROTOCOLS, {"epochs": 7}]
    cells = [
        make_cell(column, seed=seed, version=version, **protocol)
        for column in COLUMNS
        for protocol in protocols
        for seed in (0, 1)
        for version in "12"
    ]
    settings = [cell.settings(trial) for cell in cells for trial in cell.trials()]
    assert len(set(map(key, settings))) == len(set(map(trial_id, settings)))
