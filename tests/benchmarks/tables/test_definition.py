import contextlib
import copy
import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.tables import definition, experiments
from keras_asymbp.benchmarks.tables.definition import Fault
from keras_asymbp.benchmarks.tables.experiments import Column, Experiment

MINE = Experiment(
    name="mine",
    title="Everything",
    table="Table 1",
    columns=(
        Column("SGD"),
        Column(
            *("all", "brSF", 0.25, "BN", 1, "Bottom"),
            batch_schedules=(((0, None),), ((0, 50), (3, 500))),
            weight_decay=0.5,
            scale="init_std",
            learning_rates=(0.5, 0.25),
        ),
    ),
    source="Doe",
    networks=(("mnist", "lenet-mnist"),),
    validation_share=0.25,
    signs="fixed",
    figures=(("mnist", "SGD", 1.5), ("tiny", "all", 50.0)),
    file="mine.yaml",
)
FIELDS = json.loads(json.dumps(definition.fields(MINE)))


def changed(**changes):
    return copy.deepcopy(FIELDS) | changes


def column(**changes):
    return changed(
        columns=[{"name": "SGD"}, {"name": "u"} | changes], figures={}, source=None
    )


def test_a_definition_is_its_experiment():
    again = definition.experiment(copy.deepcopy(FIELDS), "mine.yaml")
    assert (again, again.file) == (MINE, "mine.yaml")


def test_two_figures_of_one_column_are_refused():
    twice = dataclasses.replace(MINE, figures=(*MINE.figures, ("mnist", "SGD", 2.5)))
    with pytest.raises(Fault, match="figures of 'mnist': the field 'SGD' is given tw"):
        definition.fields(twice)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"figures": 5}, "figures: expected triples of .*, received 5"),
        ({"figures": (("mnist", "SGD"),)}, r"received \['mnist', 'SGD'\]"),
        ({"figures": (("mnist", ["SGD"], 1.5),)}, "figures: expected triples of"),
        ({"networks": (("mnist",),)}, r"networks: expected pairs of .*\['mnist'\]"),
        ({"networks": "mnist"}, "networks: expected pairs of .*, received 'mnist'"),
        (
            {"networks": (("mnist", "lenet-mnist"), ("mnist", "mnist"))},
            "networks: the field 'mnist' is given twice",
        ),
    ],
)
def test_fields_that_are_no_tuples_are_refused(changes, expected):
    with pytest.raises(Fault, match=expected):
        definition.fields(dataclasses.replace(MINE, **changes))


def test_figures_without_a_source_are_the_files():
    found = definition.experiment(changed(source=None), "folder/mine.yaml")
    assert (found.source, found.place) == ("mine.yaml", "mine.yaml")


@pytest.mark.parametrize(
    "experiment", [*experiments.ALL.values()], ids=lambda e: e.name
)
def test_the_packages_experiments_can_be_defined(experiment):
    fields = definition.fields(experiment) | {"name": "copy"}
    copied = definition.experiment(fields, "x.yaml")
    assert copied.columns == experiment.columns
    assert copied.networks == experiment.networks


def test_numbers_are_those_of_the_packages_tables():
    """Another type or sign of zero would give a trial another id."""
    numbers = column(
        weight_decay=-0.0, learning_rates=[1, 1.0, 2], rule="brSF", flip_probability=0
    )
    _, found = definition.experiment(numbers, "x.yaml").columns
    assert str(found.weight_decay) == "0.0"
    assert str(found.learning_rates) == "(1.0, 2.0)"
    assert str(found.flip_probability) == "0.0"
    rates = Column("SGD", learning_rates=(np.float64(0.5),), setting=np.int64(1))
    fields = definition.fields(Experiment("x", "y", "z", (rates,)))
    assert definition.experiment(fields, "x.py").columns == (
        Column("SGD", setting=1, learning_rates=(0.5,)),
    )


FAULTS = {
    "no table: expected the fields name, title, columns": [1, {}, {"columns": 5}, None],
    "title is missing": {"name": "x", "columns": [{"name": "SGD"}]},
    "unknown field 'titel': did you mean 'title'": changed(titel=1),
    "column 2: unknown field 'rulee': did you mean 'rule'": column(rulee="uSF"),
    "column 'u': unknown rule 'usf': did you mean 'uSF'": column(rule="usf"),
    "DRTP; or give rule 'brSF' and flip_probability 0.25": column(rule="brSF-25"),
    "column 'u': rule 'RndF' takes no scale": column(rule="RndF", scale="fan_in"),
    "column 'u': rule 'uSF' takes no flip_prob": column(rule="uSF", flip_probability=0),
    "flip_probability is 0.125, expected a whole": column(
        rule="brSF", flip_probability=0.125
    ),
    "column 2: optimizer is 'lion', expected 'Signum' or": column(optimizer="lion"),
    "column 'u': setting is Batch Manhattan's, not Lion's": column(
        optimizer="Lion", setting=1
    ),
    "column 2: setting is True, expected 0, 1, 2 or 3": column(setting=True),
    "column 2: clamped is 'top', expected 'Bottom' or 'Top'": column(clamped="top"),
    "column 2: weight_decay is -1": column(weight_decay=-1),
    "column 2: learning_rates[0] is inf": column(learning_rates=[float("inf")]),
    "column 'u': learning_rates is empty": column(learning_rates=[]),
    "column 2: batch_schedules[0] is [[1, 5]]": column(batch_schedules=[[[1, 5]]]),
    "column 'u': batch_schedules is empty": column(batch_schedules=[]),
    "column 2 is 'uSF', expected an object": changed(columns=[{"name": "SGD"}, "uSF"]),
    "0 columns, expected 1 to 500": changed(columns=[]),
    "501 columns": changed(columns=[{"name": str(n)} for n in range(501)]),
    "two columns have the name 'SGD'": changed(columns=[{"name": "SGD"}] * 2),
    "column 1: name is 'a,b', expected a name": changed(columns=[{"name": "a,b"}]),
    r"name is 'a\x1b', expected": changed(name="a\x1b"),
    "name is ' a', expected": changed(name=" a"),
    "the name 'c2' is an experiment of the package": changed(name="c2"),
    "the name 'ALL' is an experiment": changed(name="ALL"),
    "unknown baseline 'BP': choose from SGD, all": changed(baseline="BP"),
    "networks: unknown network 'lenet': did you mean": changed(
        networks={"mnist": "lenet"}
    ),
    "validation_share is 1, expected": changed(validation_share=1),
    "figures.mnist.SGD is 101": changed(figures={"mnist": {"SGD": 101}}),
    "figures of 'mnist': unknown column 'SDG'": changed(figures={"mnist": {"SDG": 1}}),
    "figures: 'a\n' is no name": changed(figures={"a\n": {}}),
    "source 'Doe' has no figures": changed(figures={}),
    "of source 'paper' are part of the package": changed(source="paper"),
}


@pytest.mark.parametrize("expected", FAULTS)
def test_a_fault_has_its_place(expected):
    fields = FAULTS[expected]
    for each in fields if isinstance(fields, list) else [fields]:
        with pytest.raises(Fault) as found:
            definition.experiment(each, "x.yaml")
        assert expected in str(found.value)


@pytest.mark.parametrize("rule", ["NuSF-25", "brSF-101", "mine-25", "-25"])
def test_only_a_rule_with_wrong_signs_is_two_fields(rule):
    with pytest.raises(Fault, match="unknown rule") as found:
        definition.experiment(column(rule=rule), "x.yaml")
    assert "or give" not in str(found.value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
    ),
    max_leaves=5,
)


@given(data=st.data())
def test_whatever_replaces_a_part_it_is_refused_or_an_experiment(data):
    forged = copy.deepcopy(FIELDS)
    part = forged
    while True:
        key = data.draw(
            st.sampled_from([*part] if isinstance(part, dict) else range(len(part)))
        )
        if (
            not part[key]
            or not isinstance(part[key], dict | list)
            or data.draw(st.booleans())
        ):
            break
        part = part[key]
    part[key] = data.draw(VALUES)
    with contextlib.suppress(Fault):
        found = definition.experiment(forged, "x.yaml")
        assert definition.experiment(definition.fields(found), "x.yaml") == found
        hash(found)
