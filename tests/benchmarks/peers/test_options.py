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
def test_names_are_used_once(peer):
    options = PEERS[peer]
    names = [name for option in options for name in (option.name, *option.names)]
    assert len(names) == len(set(names))
    settings = [option.setting for option in options if option.setting]
    assert len(settings) == len(set(settings))


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_says_what_becomes_of_it(option):
    assert option.setting in options.SETTINGS or not option.setting
    assert option.setting or option.note or option.instead
    assert option.setting or not option.values
    for value in option.fine:
        assert isinstance(value, option.kind)
    for here in (option.values or {}).values():
        assert here.is_something or here.note


def stands_for(setting):
    """What stands for the values of the options that become a setting."""
    return {
        value: here
        for options in PEERS.values()
        for option in options
        if option.setting == setting
        for value, here in (option.values or {}).items()
    }


def test_rules_are_columns_of_the_experiment():
    columns = {c.name: c for c in experiments.get("FA-bench").columns}
    for here in stands_for("rule").values():
        if here.value:
            column = columns[here.value]
            assert ('scale="init_std"' in here.python) == (column.scale == "init_std")
    assert {"BP", "FA", "uSF", "brSF", "frSF", "DFA"} <= {
        here.value for here in stands_for("rule").values()
    }


@pytest.mark.parametrize(
    "rule",
    sorted(
        {
            here.python
            for here in stands_for("rule").values()
            if "feedbacks." in here.python
        }
    ),
)
def test_rules_in_python_are_rules(rule):
    import keras_asymbp

    made = eval(rule, {"keras_asymbp": keras_asymbp})
    assert isinstance(made, keras_asymbp.feedbacks.Feedback)


def test_networks_and_data_sets_are_there():
    for here in stands_for("architecture").values():
        assert here.value in networks.NETWORKS
    for name, here in stands_for("dataset").items():
        # Fashion-MNIST is a name of TFDS's.
        assert here.value in (*datasets.DATASETS, "fashion_mnist", None), name
        also = dict(here.also)
        assert 0 <= also.get("validation_share", 0) < 1
        assert also.get("augmentation") in (*AUGMENTATIONS, None)


def test_flags_are_the_command_s(benchmarks):
    named = [s.flag for s in options.SETTINGS.values() if s.flag]
    help_text = benchmarks("--helpfull").stdout
    for flag in named:
        assert f"{flag}:" in help_text or f"--[no]{flag[2:]}:" in help_text, flag
