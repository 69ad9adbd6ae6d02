import pytest

from keras_asymbp.benchmarks import peers

PEERS = {"BioTorch": peers.BIOTORCH, "sign-symmetry": peers.SIGN_SYMMETRY}
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
    assert option.setting in peers.SETTINGS or not option.setting
    assert option.setting or option.note or option.instead
    assert option.setting or not option.values
    for value in option.fine:
        assert isinstance(value, option.kind)
    for here in (option.values or {}).values():
        assert here.is_something or here.note
