import keras
import numpy as np
import pytest

from benchmarks.speed import workloads
from benchmarks.speed.measure import Options
from keras_asymbp.benchmarks.networks import TABLE_1
from keras_asymbp.layers import AsymmetricLayer


@pytest.mark.parametrize("name", TABLE_1)
def test_the_stock_network_is_of_kerass_own_layers(name):
    stock, ours = workloads.stock(name), workloads.asymmetric(name, "frSF")
    assert all(type(layer).__module__.startswith("keras.") for layer in stock.layers)
    with_kernel = [layer for layer in stock.layers if hasattr(layer, "kernel")]
    assert {type(layer) for layer in with_kernel} <= {
        keras.layers.Conv2D,
        keras.layers.Dense,
    }
    # The same shapes in the same order, so the same work.
    assert [v.shape for v in stock.trainable_variables] == [
        v.shape for v in ours.trainable_variables
    ]
    converted = [layer for layer in ours.layers if isinstance(layer, AsymmetricLayer)]
    assert len(converted) == len(with_kernel)


def test_every_network_has_its_steps():
    assert workloads.STEPS.keys() == TABLE_1.keys()


def test_a_call_of_fit_is_an_epoch_and_returns_a_steps_time():
    data = workloads.random_examples((3,), 2, train=60)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    fit = workloads.Fit(model, keras.optimizers.SGD(0.1), data, Options(), batch=5)
    assert fit.steps == 12
    assert model.steps_per_execution == 6
    assert not model.jit_compile
    for epochs in (1, 2):
        taken = fit()
        assert model.optimizer.iterations.numpy() == 12 * epochs
        assert taken.wall > 0
        assert taken.cpu > 0


def test_xla_compiles_for_a_gpu():
    data = workloads.random_examples((3,), 2, train=10)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    fit = workloads.Fit(model, workloads.sgd(), data, Options(device="gpu"), batch=5)
    assert fit.model.jit_compile


def test_examples_fit_the_network():
    data = workloads.examples("cifar", 20, 10)
    inputs, labels = data.train.batch(np.arange(20))
    assert inputs.shape == (20, 32, 32, 3)
    assert 0 <= labels.min() <= labels.max() < 10
    assert len(data.test) == 10
