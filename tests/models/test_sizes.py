import pytest

from keras_asymbp import models
from keras_asymbp.benchmarks.networks import NETWORKS, Application
from keras_asymbp.models import sizes
from keras_asymbp.models.alexnets import ALEXNET
from keras_asymbp.models.lenets import LENET, LENET_CIFAR
from keras_asymbp.models.resnets import RESNET_20

OWN = [n for n in NETWORKS.values() if not isinstance(n.layers[0], Application)]


def test_every_network_fits_its_own_size():
    assert all(sizes.fits(network, network.input_shape, flat=True) for network in OWN)


@pytest.mark.parametrize(
    ("function", "network", "channels", "smallest"),
    [
        (models.lenet, LENET, 1, 32),
        (models.lenet_cifar, LENET_CIFAR, 3, 18),
        (models.alexnet, ALEXNET, 3, 63),
        (models.resnet20, RESNET_20, 3, 1),
    ],
)
def test_the_smallest_size_is_that_of_keras(function, network, channels, smallest):
    def shape(size):
        return (size, size, channels)

    options = {"kernel_initializer": "zeros", "feedback": None}
    assert sizes.fits(network, shape(smallest), flat=True)
    function(input_shape=shape(smallest), **options)
    assert not sizes.fits(network, shape(smallest - 1), flat=True)


def test_open_sizes_need_global_pooling():
    assert sizes.fits(RESNET_20, (None, None, 3), flat=True)
    assert sizes.fits(LENET, (None, None, 1), flat=False)
    assert not sizes.fits(LENET, (None, None, 1), flat=True)
