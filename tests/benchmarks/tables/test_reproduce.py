import dataclasses
import shlex

import numpy as np
import pytest
from absl import flags
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.commands import run
from keras_asymbp.benchmarks.tables import experiments, readings, reproduce
from keras_asymbp.benchmarks.tables.plan import Plan, Setup
from keras_asymbp.benchmarks.tables.protocol import PRESETS


def plan_of(command):
    """The plan that a command line makes, by its own parser."""
    python, dash_m, module, *arguments = shlex.split(command)
    assert (python, dash_m, module) == ("python", "-m", "keras_asymbp.benchmarks")
    values = flags.FlagValues()
    given = run.Flags(values)
    values([module, *arguments])
    (plan,) = run.plans(given)
    return plan


def c2_plan(preset="quick", names=None, seeds=(0,), **protocol):
    experiment = experiments.get("C2")
    return Plan(
        experiment,
        experiments.select([experiment], names)[0][1],
        Setup(
            datasets.get("mnist_5k"),
            "1",
            dataclasses.replace(PRESETS[preset], **protocol),
            preset,
            seeds,
        ),
    )


@pytest.mark.parametrize("preset", sorted({*PRESETS} - {"biotorch"}))
def test_a_network_has_its_default_reading_unless_another_is_given(preset):
    command = f"{reproduce.PROGRAM} --exp C2 --preset {preset}"
    default = readings.default("mnist")
    assert plan_of(command).setup.protocol == default.applied(PRESETS[preset])
    other = plan_of(f"{command} --architecture svhn --reading unit-he-sum-decay")
    assert readings.of(other.setup.protocol) == readings.BASE
    own = plan_of(f"{command} --architecture svhn")
    assert readings.of(own.setup.protocol) == readings.default("svhn")


@pytest.mark.parametrize("network", ["mnist", "svhn"])
def test_a_preset_with_choices_of_its_own_keeps_them(network):
    command = f"{reproduce.PROGRAM} --exp C2 --preset biotorch --architecture {network}"
    plan = plan_of(command)
    expected = dataclasses.replace(PRESETS["biotorch"], architecture=network)
    assert plan.setup.protocol == expected
    assert "--reading" not in reproduce.reproduce([plan])
    # The network's own reading is then one that is requested.
    asked = plan_of(f"{command} --reading {readings.default(network).name}")
    assert asked.setup.requested_reading == readings.default(network)
    assert plan_of(reproduce.reproduce([asked])) == asked
    # From stored trials, without the command that made them.
    found = dataclasses.replace(
        plan,
        setup=dataclasses.replace(
            plan.setup,
            preset=None,
            protocol=dataclasses.replace(plan.setup.protocol, epochs=9),
        ),
    )
    again = plan_of(reproduce.reproduce([found]))
    assert again.setup.protocol == found.setup.protocol
    assert reproduce.without_flag(found.setup) == []


@given(
    preset=st.sampled_from(sorted(PRESETS)),
    names=st.none()
    | st.sets(
        st.sampled_from([c.name for c in experiments.get("C2").columns]), min_size=1
    ).map(sorted),
    seeds=st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=3, unique=True),
    epochs=st.integers(1, 100),
    learning_rates=st.lists(
        st.floats(0, 1e3, exclude_min=True), min_size=1, max_size=5, unique=True
    ),
)
def test_the_command_to_reproduce_makes_the_same_plan(
    preset, names, seeds, epochs, learning_rates
):
    plan = c2_plan(
        preset,
        names,
        tuple(seeds),
        epochs=epochs,
        learning_rates=tuple(learning_rates),
    )
    command = reproduce.reproduce([plan])
    assert plan_of(command) == plan


@pytest.mark.parametrize("name", experiments.ALL)
def test_the_command_of_every_experiment_makes_the_same_plan(name):
    data = "sonnets" if name == "Text" else "mnist_5k"
    plan = plan_of(f"{reproduce.PROGRAM} --exp {name} --datasets {data} --epochs 2")
    assert plan_of(reproduce.reproduce([plan])) == plan


def test_a_table_that_usually_holds_out_examples_holds_out_none_in_any_place():
    command = f"{reproduce.PROGRAM} --exp {{}} --architecture lenet-mnist"
    with_share, without = (
        plan_of(f"{command.format(name)} --validation_share 0")
        for name in ("FA-bench", "A")
    )
    for plans in ([with_share, without], [without, with_share]):
        assert "--validation_share 0" in reproduce.reproduce(plans)


def test_the_command_names_what_differs_only():
    (all_columns, two_columns) = (
        reproduce.reproduce([c2_plan(names=names)])
        for names in (None, ["SGD", "RndF Top"])
    )
    assert "--models" not in all_columns
    assert "--models 'SGD,RndF Top'" in two_columns


def test_the_command_for_several_tables():
    def tables(names, models=None):
        chosen = experiments.select(experiments.get_all(names), models)
        plan = c2_plan()
        for experiment, columns in chosen:
            yield dataclasses.replace(plan, experiment=experiment, columns=columns)

    assert "--exp all --datasets" in reproduce.reproduce(list(tables(["all"])))
    assert "--exp A,C1 --datasets" in reproduce.reproduce(list(tables(["A", "C1"])))
    assert "--models SGD,BN --preset" in reproduce.reproduce(
        list(tables(["A", "C1"], ["SGD", "BN"]))
    )


@pytest.mark.parametrize("name", ["SGD", "RndF+BN+BM Bottom"])
def test_the_command_for_one_figure(name):
    plan = c2_plan("smoke", [name], (0, 3), architecture="large")
    (column,) = plan.columns
    words = [
        reproduce.PROGRAM,
        reproduce.model_flags(plan.experiment, column, plan.setup),
        reproduce.setup_flags(plan.setup),
    ]
    assert plan_of(" ".join(words)) == plan


def test_what_no_flag_gives_is_named():
    changes = {"weight_decay": 0.0, "momentum": 0.5, "epochs": 3, "test_examples": 10}
    setup = c2_plan(**changes).setup
    assert reproduce.without_flag(setup) == ["momentum", "weight_decay"]
    smoke = c2_plan("smoke").setup
    assert reproduce.without_flag(smoke) == []
    assert reproduce.without_flag(dataclasses.replace(smoke, preset=None)) == []


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25])
@pytest.mark.parametrize("augmentation", [None, "standard"])
def test_the_command_has_what_is_held_out_and_changed(share, augmentation):
    plan = dataclasses.replace(
        c2_plan(
            architecture="lenet-mnist",
            validation_share=share,
            augmentation=augmentation,
        ),
        experiment=experiments.FA_BENCH,
        columns=experiments.FA_BENCH.columns,
    )
    command = reproduce.reproduce([plan])
    assert plan_of(command) == plan
    assert reproduce.without_flag(plan.setup) == []


@pytest.mark.parametrize("name", ["a b, c.npz", "folder"])
def test_the_users_own_data_set_is_named_by_its_path(
    name, tiny_arrays, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    if name == "folder":
        for image in ("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"):
            (tmp_path / name / image).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / image).write_bytes(image.encode())
    else:
        np.savez(tmp_path / name, **dataclasses.asdict(tiny_arrays))
    plan = c2_plan()
    ((dataset, version),) = datasets.find([f"./{name}"])
    setup = Setup(dataset, version, plan.setup.protocol, "quick", (0,))
    command = reproduce.reproduce([dataclasses.replace(plan, setup=setup)])
    assert plan_of(command).setup.dataset == dataset
    assert f"./{name}" in reproduce.setup_flags(setup)


def test_a_name_with_commas_and_quotes_is_one_of_the_list():
    plan = c2_plan()
    dataset = dataclasses.replace(plan.setup.dataset, name='"a", b')
    setup = dataclasses.replace(plan.setup, dataset=dataset)
    command = reproduce.reproduce([dataclasses.replace(plan, setup=setup)])
    values = flags.FlagValues()
    given = run.Flags(values)
    values(shlex.split(command)[2:])
    assert given.datasets.value == ['"a", b']
