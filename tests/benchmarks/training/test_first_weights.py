import keras
import numpy as np
import pytest
from scipy import stats

import keras_asymbp
from keras_asymbp import AsymDense
from keras_asymbp.benchmarks.training.build import build
from keras_asymbp.benchmarks.training.first_weights import (
    FirstWeights,
    draw_anew,
    first_weights,
)

# 5 x 5 filters from 8 to 20 maps: 200 inputs and 500 outputs of a unit.
SHAPE = (5, 5, 8, 20)
INITIALIZERS = {
    "he_normal": stats.truncnorm(-2, 2, scale=(2 / 200) ** 0.5 / 0.8796256610342398),
    "glorot_uniform": stats.uniform(-((6 / 700) ** 0.5), 2 * (6 / 700) ** 0.5),
    "lecun_normal": stats.truncnorm(-2, 2, scale=(1 / 200) ** 0.5 / 0.8796256610342398),
    "random_normal": stats.norm(0, 0.05),
    "truncated_normal": stats.truncnorm(-2, 2, scale=0.05),
    "random_uniform": stats.uniform(-0.05, 0.1),
}


@pytest.mark.parametrize("name", INITIALIZERS)
def test_distributions_are_those_of_keras(name):
    drawn = np.asarray(FirstWeights(name, seed=0, number=0)(SHAPE))
    assert (drawn.shape, drawn.dtype) == (SHAPE, np.float32)
    assert stats.kstest(drawn.ravel(), INITIALIZERS[name].cdf).pvalue > 1e-3
    # And Keras's own initializer is compared with the same formula.
    keras.utils.set_random_seed(0)
    stock = np.asarray(keras.initializers.get(name)(SHAPE))
    assert stats.kstest(stock.ravel(), INITIALIZERS[name].cdf).pvalue > 1e-3


def test_an_untruncated_normal():
    initializer = keras.initializers.VarianceScaling(
        2.0, "fan_out", "untruncated_normal"
    )
    drawn = np.asarray(FirstWeights(initializer, 0, 0)(SHAPE))
    assert (
        stats.kstest(drawn.ravel(), stats.norm(0, (2 / 500) ** 0.5).cdf).pvalue > 1e-3
    )


def test_weights_depend_on_seed_and_number_alone():
    def drawn(seed, number):
        keras.utils.set_random_seed(seed + 5)
        return np.asarray(FirstWeights("he_normal", seed, number)(SHAPE)).tobytes()

    assert drawn(0, 0) == drawn(0, 0)
    assert len({drawn(seed, number) for seed in range(3) for number in range(3)}) == 9


def test_an_initializer_that_draws_nothing_is_itself():
    np.testing.assert_array_equal(FirstWeights("ones", 0, 0)((3,)), [1, 1, 1])


def test_another_distribution_is_refused():
    with pytest.raises(ValueError, match=r"Received: <.*Orthogonal"):
        FirstWeights("orthogonal", 0, 0)((3, 3))


def test_its_config_makes_it_again():
    first = FirstWeights("he_normal", seed=2, number=3)
    again = FirstWeights.from_config(first.get_config())
    np.testing.assert_array_equal(first(SHAPE), again(SHAPE))


def kernels(model):
    return [np.asarray(layer.kernel) for layer in model.layers if layer.weights]


def test_each_kernel_of_a_network_has_its_own_number():
    model = build("mnist", 10, seed=4)
    assert isinstance(model.layers[-1], AsymDense)
    for number, kernel in enumerate(kernels(model)):
        expected = FirstWeights("he_normal", 4, number)(kernel.shape)
        np.testing.assert_array_equal(kernel, expected)


def test_a_stock_model_is_drawn_anew():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, kernel_initializer="he_normal"),
            layers.DepthwiseConv2D(3),
            layers.SeparableConv2D(5, 3),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    others = [w for w in model.weights if "kernel" not in w.name]
    before = [w.numpy() for w in others]
    draw_anew(model, seed=1)
    drawn = [w for w in model.weights if "kernel" in w.name]
    names = ["he_normal", *["glorot_uniform"] * 4]
    for number, (name, kernel) in enumerate(zip(names, drawn, strict=True)):
        expected = FirstWeights(name, 1, number)(kernel.shape)
        np.testing.assert_array_equal(kernel, expected)
    for weight, value in zip(others, before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_a_network_of_the_suite_can_be_converted():
    model = build("mnist", 10, feedback="uSF")
    stock = keras_asymbp.symmetrize(model)
    for ours, theirs in zip(model.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_deviation_for_all_layers_and_one_for_each():
    for name, deviations in (
        ("normal_0.01", [0.01] * 3),
        ("matconvnet_cifar", [0.01, 0.05, 0.05]),
    ):
        for number, deviation in enumerate(deviations):
            drawn = np.asarray(first_weights(name, 0, number)(SHAPE)).ravel()
            expected = stats.norm(0, deviation)
            assert stats.kstest(drawn, expected.cdf).pvalue > 1e-3
    found = kernels(build("cifar", 10, kernel_initializer="matconvnet_cifar", seed=1))
    deviations = [round(float(kernel.std()), 2) for kernel in found]
    assert deviations == [0.01, *[0.05] * (len(found) - 1)]
