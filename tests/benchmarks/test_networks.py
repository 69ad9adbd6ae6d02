import keras
import pytest

from keras_asymbp.benchmarks import datasets, networks
from keras_asymbp.benchmarks.datasets.text import SYMBOLS, Text
from keras_asymbp.benchmarks.errors import UsageError


def test_table_1_comes_first_unchanged():
    names = list(networks.NETWORKS)
    assert names[: len(networks.TABLE_1)] == list(networks.TABLE_1)
    for name, network in networks.TABLE_1.items():
        assert networks.get(name) is network


def test_networks_are_found_by_name():
    for name, network in networks.NETWORKS.items():
        assert networks.get(name) is network
        assert network.input_shape[-1] > 0


def test_all_models_of_keras_applications_are_networks():
    models = {name for name in dir(keras.applications) if name[0].isupper()}
    assert models == {
        name
        for name, network in networks.NETWORKS.items()
        if isinstance(network.layers[0], networks.Application)
    }


def test_the_transformer_takes_the_windows_of_a_text():
    sources = {d.network: d.source for d in datasets.DATASETS.values()}
    texts = {name: text for name, text in sources.items() if isinstance(text, Text)}
    assert list(texts) == ["transformer"]
    for name, text in texts.items():
        assert networks.get(name).input_shape == (text.context, len(SYMBOLS))


@pytest.mark.parametrize("family", networks.FAMILIES.values(), ids=lambda f: f.name)
def test_a_family_names_its_networks(family):
    members = [n for n in networks.NETWORKS.values() if n.family == family.name]
    assert [network.depth for network in members] == list(family.depths)
    for network in members:
        assert networks.get(family.network_name(network.depth)) is network


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("MobileNetV2", 224),
        pytest.param("DenseNet121", 224, marks=pytest.mark.slow),
        pytest.param("Xception", 299, marks=pytest.mark.slow),
        pytest.param("EfficientNetV2B1", 240, marks=pytest.mark.slow),
        pytest.param("NASNetMobile", 224, marks=pytest.mark.slow),
    ],
)
def test_image_sizes_are_those_of_keras(name, size):
    model = getattr(keras.applications, name)(weights=None)
    assert model.input_shape == (None, size, size, 3)
    assert networks.get(name).input_shape == (size, size, 3)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("resnet20", "did you mean 'resnet-20'"),
        ("lenet", "did you mean 'lenet-mnist' or 'lenet-cifar'"),
        ("", "--list' shows all"),
    ],
)
def test_an_unknown_network_is_refused_with_near_names(name, near):
    with pytest.raises(UsageError, match=f"unknown architecture '{name}': .*{near}"):
        networks.get(name)
