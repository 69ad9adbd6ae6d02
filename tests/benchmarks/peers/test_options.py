import re

import pytest

from keras_asymbp.benchmarks import datasets, networks
from keras_asymbp.benchmarks.peers import options
from keras_asymbp.benchmarks.tables import experiments
from keras_asymbp.benchmarks.tables.protocol import AUGMENTATIONS

PEERS = {"BioTorch": options.BIOTORCH, "sign-symmetry": options.SIGN_SYMMETRY}
OPTIONS = [
    pytest.param(option, id=f"{peer}-{option.name}")
    for peer, options in PEERS.items()
    for option in options
]


@pytest.mark.parametrize("peer", PEERS)
def test_names_are_unique(peer):
    options = PEERS[peer]
    names = [name for option in options for name in (option.name, *option.names)]
    assert len(names) == len(set(names))
    settings = [option.setting for option in options if option.setting]
    assert len(settings) == len(set(settings))


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_has_an_equivalent_or_a_note(option):
    assert option.setting in options.SETTINGS or not option.setting
    assert option.setting or option.note or option.instead
    assert option.setting or not option.values
    for value in option.fine:
        assert isinstance(value, option.kind)
    for here in (option.values or {}).values():
        assert here.exists or here.note


def equivalents(setting):
    """Equivalents of the values of the options for a setting."""
    return {
        value: here
        for options in PEERS.values()
        for option in options
        if option.setting == setting
        for value, here in (option.values or {}).items()
    }


def test_rules_are_columns_of_the_experiment():
    columns = {c.name: c for c in experiments.get("FA-bench").columns}
    for here in equivalents("rule").values():
        if here.value:
            column = columns[here.value]
            assert ('scale="init_std"' in here.python) == (column.scale == "init_std")
    assert {"BP", "FA", "uSF", "brSF", "frSF", "DFA"} <= {
        here.value for here in equivalents("rule").values()
    }


@pytest.mark.parametrize(
    "rule",
    sorted(
        {
            here.python
            for here in equivalents("rule").values()
            if "feedbacks." in here.python
        }
    ),
)
def test_expressions_for_rules_are_valid(rule):
    import keras_asymbp

    evaluated = eval(rule, {"keras_asymbp": keras_asymbp})
    assert isinstance(evaluated, keras_asymbp.feedbacks.Feedback)


def test_networks_and_data_sets_are_known():
    for here in equivalents("architecture").values():
        assert here.value in networks.NETWORKS
    for name, here in equivalents("dataset").items():
        # Fashion-MNIST is read by its name in TFDS.
        assert here.value in (*datasets.DATASETS, "fashion_mnist", None), name
        also = dict(here.also)
        assert 0 <= also.get("validation_share", 0) < 1
        assert also.get("augmentation") in (*AUGMENTATIONS, None)


def test_flags_belong_to_the_command(benchmarks):
    flags = [s.flag for s in options.SETTINGS.values() if s.flag]
    text = benchmarks("--help").stdout.replace("[no]", "")
    for flag in flags:
        assert re.search(rf"^  {flag}\b", text, re.MULTILINE), flag
