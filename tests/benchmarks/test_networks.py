import keras
import pytest

from keras_asymbp.benchmarks import networks
from keras_asymbp.benchmarks.errors import UsageError


def test_table_1_comes_first_and_stays_as_it_is():
    names = list(networks.NETWORKS)
    assert names[: len(networks.TABLE_1)] == list(networks.TABLE_1)
    for name, architecture in networks.TABLE_1.items():
        assert networks.get(name) is architecture


def test_names_are_each_one_s_own():
    names = list(networks.NETWORKS)
    assert len(set(names)) == len(names) == len(networks.NETWORKS)
    for name in names:
        assert networks.get(name).input_shape[-1] > 0


def test_every_model_of_keras_applications_is_there():
    keras_s = {name for name in dir(keras.applications) if name[0].isupper()}
    assert keras_s == set(networks._APPLICATIONS)


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
def test_images_have_the_size_that_keras_s_model_is_made_for(name, size):
    model = getattr(keras.applications, name)(weights=None)
    assert model.input_shape == (None, size, size, 3)
    assert networks.get(name).input_shape == (size, size, 3)


@pytest.mark.parametrize("name", ["resnet20", "", "ResNet", "lenet"])
def test_an_unknown_network_is_refused_with_the_names(name):
    with pytest.raises(UsageError, match=r"unknown architecture .*lenet-mnist.*VGG16"):
        networks.get(name)
