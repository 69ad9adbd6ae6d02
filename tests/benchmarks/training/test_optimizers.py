import keras
import numpy as np
import pytest

from keras_asymbp.benchmarks.pictures import looks
from keras_asymbp.benchmarks.tables import experiments
from keras_asymbp.benchmarks.tables.experiments import OPTIMIZERS, Column
from keras_asymbp.benchmarks.training import optimizers

GRADIENTS = [np.array([3.0, -0.5, 0.0]), np.array([-1.0, -0.5, 0.0])]


@pytest.fixture
def make(make_cell):
    def make(column, **settings):
        optimizer = optimizers.make(make_cell(column, **settings))
        optimizer.learning_rate = 0.25
        return optimizer

    return make


def steps(optimizer, start=(1.0, 1.0, 1.0)):
    w = keras.Variable(start)
    for gradient in GRADIENTS:
        optimizer.apply([keras.ops.array(gradient, "float32")], [w])
    return w.numpy()


def test_the_tables_name_the_optimizers_that_there_are():
    assert tuple(optimizers.OPTIMIZERS) == OPTIMIZERS == tuple(looks.OPTIMIZERS)


def test_signum_steps_by_the_sign_of_the_average_gradient(make):
    found = steps(make(Column("x", optimizer="Signum"), weight_decay=0.0))
    average = np.zeros(3)
    expected = np.ones(3)
    for gradient in GRADIENTS:
        average = 0.9 * average + 0.1 * gradient
        expected -= 0.25 * np.sign(average)
    np.testing.assert_allclose(found, expected)
    # The sign of each gradient, as Batch Manhattan has it, is another step.
    plain = steps(make(Column("x", setting=1), weight_decay=0.0, momentum=0.0))
    np.testing.assert_allclose(plain, [1.0, 1.5, 1.0])
    np.testing.assert_allclose(found, [0.5, 1.5, 1.0])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_decay_is_the_models(name, make):
    decayed = make(Column("x", optimizer=name), weight_decay=0.5)
    matrix = keras.Variable(np.ones((2, 2), "float32"), name="kernel")
    bias = keras.Variable(np.ones(2, "float32"), name="bias")
    for kept in (False, True):
        optimizer = (
            decayed
            if kept
            else make(Column("x", optimizer=name, weight_decay=0.5), bias_decay=False)
        )
        for variable in (matrix, bias):
            variable.assign(keras.ops.ones_like(variable))
        zeros = [keras.ops.zeros(v.shape) for v in (matrix, bias)]
        optimizer.apply(zeros, [matrix, bias])
        np.testing.assert_allclose(matrix, 1 - 0.25 * 0.5)
        np.testing.assert_allclose(bias, 1 - 0.25 * 0.5 if kept else 1)


def test_muon_leaves_the_last_layer_to_adam(make):
    optimizer = make(Column("Muon", optimizer="Muon"))
    layers = [keras.layers.Dense(3, name=name) for name in ("fc_1", "logits")]
    for layer in layers:
        layer.build((None, 3))
    assert [optimizer._should_use_adamw(layer.kernel) for layer in layers] == [
        *(False, True)
    ]


def test_bm_family_pairs_each_optimizer_with_both_rules():
    family = experiments.get("BM-family")
    pairs = [(c.rule, c.optimizer or c.setting) for c in family.columns]
    assert pairs == [(r, o) for r in ("BP", "uSF") for o in (0, 1, *OPTIMIZERS)]
    # The rates of each optimizer are its own, and as many as the paper's.
    rates = {c.learning_rates for c in family.columns if c.optimizer}
    assert {len(set(each)) for each in rates} == {5}
