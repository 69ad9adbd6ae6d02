import functools

import keras
import tensorflow as tf

from keras_asymbp import AsymDense, RedrawFeedback
from keras_asymbp.callbacks.updates import Updates, is_stock


class TwoOptimizers(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(2)
        self.second = keras.layers.Dense(2)
        self.frozen = keras.layers.Dense(2)
        for layer in self.layers:
            layer.build((None, 2))
        self.frozen.trainable = False
        self.others = {"first": keras.optimizers.SGD(0.1)}
        self.inside = [(keras.optimizers.Adam(0.1), None)]

    def call(self, x):
        return self.frozen(self.second(self.first(x)))

    def train_step(self, data):
        return {}

    def step(self, optimizer, layer):
        gradients = [tf.ones(weight.shape) for weight in layer.trainable_weights]
        optimizer.apply(gradients, layer.trainable_weights)


def make_model(cls=TwoOptimizers):
    model = cls()
    model.compile("sgd", "mse")
    return model


def counts(updates, model):
    return [
        int(updates.of(layer.kernel))
        for layer in (model.first, model.second, model.frozen)
    ]


def watch(model):
    kernels = [layer.kernel for layer in model.layers]
    return Updates(model, model.train_step, kernels)


def test_each_kernel_has_the_count_of_its_optimizer():
    model = make_model()
    updates = watch(model)
    assert counts(updates, model) == [0, 0, 0]
    for _ in range(3):
        model.step(model.others["first"], model.first)
    model.step(model.inside[0][0], model.second)
    assert counts(updates, model) == [3, 1, 4]  # the third is frozen
    assert counts(watch(model), model) == [0, 0, 0]


def test_an_optimizer_that_the_step_creates_is_seen_by_its_effect():
    model = make_model()
    updates = watch(model)
    model.step(keras.optimizers.SGD(0.1), model.first)
    assert counts(updates, model) == [1, 0, 0]


def test_changes_by_hand_are_one_update():
    model = make_model()
    updates = watch(model)
    model.second.kernel.assign_add(tf.ones((2, 2)))
    assert counts(updates, model) == [0, 1, 0]


def test_skipped_and_accumulated_steps_are_no_updates():
    model = make_model()
    model.others["first"] = keras.optimizers.SGD(0.1, gradient_accumulation_steps=2)
    updates = watch(model)
    model.step(model.others["first"], model.first)
    assert counts(updates, model) == [0, 0, 0]
    model.step(model.others["first"], model.first)
    assert counts(updates, model) == [1, 0, 1]


def test_loss_scaling_counts_the_optimizer_once():
    model = make_model()
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
    model.others["first"] = optimizer
    updates = watch(model)
    model.step(optimizer, model.first)
    assert counts(updates, model) == [1, 0, 1]


def test_keras_s_own_step_is_counted_by_the_model_s_optimizer():
    class Stock(TwoOptimizers):
        train_step = keras.Model.train_step

    model = make_model(Stock)
    assert is_stock(model.train_step)
    assert not is_stock(make_model().train_step)
    updates = watch(model)
    model.first.kernel.assign_add(tf.ones((2, 2)))  # by a callback, say
    assert counts(updates, model) == [0, 0, 0]
    model.step(model.optimizer, model.first)
    assert counts(updates, model) == [1, 0, 1]


def test_a_wrapped_step_is_not_keras_s_own():
    step = keras.Sequential().train_step
    assert is_stock(step)
    assert not is_stock(lambda data: step(data))


class OwnStep(keras.Sequential):
    def train_step(self, data):
        return super().train_step(data)


def test_keras_s_own_step_stays_its_own_with_a_redraw():
    for cls, stock in ((keras.Sequential, True), (OwnStep, False)):
        model = cls([keras.Input((2,)), AsymDense(1, feedback="brSF")])
        model.compile("sgd", "mse")
        x, y = tf.ones((1, 2)), tf.ones((1, 1))
        model.fit(x, y, verbose=0, callbacks=[RedrawFeedback()])
        step = model.train_step
        assert step.redraws_feedback
        assert is_stock(step) == stock
        assert not is_stock(functools.wraps(step)(lambda data, step=step: step(data)))
