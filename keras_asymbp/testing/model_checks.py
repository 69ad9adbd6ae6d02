"""Checks of a model with one asymmetric layer: training, copying and saving it."""

import tempfile

import keras
import numpy as np

from keras_asymbp.callbacks import RedrawFeedback, redraw_feedback
from keras_asymbp.optimizers import BatchManhattan
from keras_asymbp.testing.registry import check
from keras_asymbp.testing.tools import (
    SAMPLES,
    assert_close,
    assert_equal,
    feedback_kernels,
    gradients_of,
    make_batch,
    make_inputs,
    make_model,
    own_weights,
    rules_of,
)


@check
def check_frozen(case, rule):
    """`trainable=False` keeps W and V, and passes the same error down."""
    model, [layer] = make_model(case, rule)
    xs = make_inputs(case)
    expected = gradients_of(layer, xs, [])
    layer.trainable = False
    assert not layer.trainable_weights
    assert_equal(gradients_of(layer, xs, []), expected, "frozen: dE/dX")
    frozen = [weight.numpy() for weight in own_weights(layer)]
    v = feedback_kernels(layer)
    below = model.layers[1].get_weights()[0]
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    model.train_on_batch(*make_batch(model))
    assert_equal(own_weights(layer), frozen, "frozen: a weight, after a step,")
    assert_equal(feedback_kernels(layer), v, "frozen: V, after a step,")
    v_is_zero = all(not np.any(each) for each in v)
    assert v_is_zero or np.any(model.layers[1].get_weights()[0] != below), (
        "the error does not pass through the frozen layer"
    )


@check
def check_clone(case, rule):
    """`clone_model` creates a new rule, and `set_weights` transfers its state."""
    model, [layer] = make_model(case, rule)
    cloned = keras.models.clone_model(model)
    copy = cloned.get_layer(layer.name)
    for ours, theirs in zip(rules_of(layer), rules_of(copy), strict=True):
        assert theirs is not ours, "the clone shares the rule of the layer"
    assert copy.get_config() == layer.get_config(), "the clone's config differs"
    cloned.set_weights(model.get_weights())
    x, _ = make_batch(model)
    assert_equal([cloned(x)], [model(x)], "the clone's output")
    assert_equal(
        feedback_kernels(copy), feedback_kernels(layer), "V, after `set_weights`,"
    )


@check
def check_saving(case, rule):
    """A model saved in the middle of training continues as the original does.

    Saved as `.keras` and as weights; a random rule continues its sequence.
    """
    model, [layer] = make_model(case, rule)
    x, y = make_batch(model)

    def train(model):
        for _ in range(2):
            model.train_on_batch(x, y)
            redraw_feedback(model)
        part = model.get_layer(layer.name)
        return [*model.get_weights(), *feedback_kernels(part)]

    model.compile(BatchManhattan(0.01), "mse", run_eagerly=True)
    train(model)
    v = feedback_kernels(layer)
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        model.save_weights(f"{folder}/model.weights.h5")
        loaded = keras.models.load_model(f"{folder}/model.keras")
        other, [other_layer] = make_model(case, rule, seed=1)
        other.load_weights(f"{folder}/model.weights.h5")
    again = feedback_kernels(loaded.get_layer(layer.name))
    assert_equal(again, v, "V, saved and loaded,")
    assert_equal(feedback_kernels(other_layer), v, "V, from loaded weights,")
    assert_equal(train(loaded), train(model), "a weight or V, training on,")


@check
def check_fit(case, rule):
    """`fit` is the same eagerly, in a graph, and under XLA with several steps."""
    results = []
    modes = {
        "run_eagerly=True": {"run_eagerly": True},
        "jit_compile=False": {"jit_compile": False},
        "jit_compile=True, steps_per_execution=2": {
            "jit_compile": True,
            "steps_per_execution": 2,
        },
    }
    for mode, arguments in modes.items():
        model, [layer] = make_model(case, rule)
        x, y = make_batch(model)
        before = model.get_weights()[0]
        model.compile(keras.optimizers.SGD(0.1), "mse", **arguments)
        model.optimizer.build(model.trainable_variables)

        def fit(model=model, x=x, y=y):
            redraw = RedrawFeedback()
            model.fit(x, y, 1, verbose=0, shuffle=False, callbacks=[redraw])

        if mode == "jit_compile=False" and keras.backend.backend() == "tensorflow":
            from keras_asymbp.testing import graph_order

            graph_order.assert_w_is_read_before_or_after_its_update(model, fit)
        else:
            fit()
        assert model.optimizer.iterations == SAMPLES
        if any(np.any(v) for v in feedback_kernels(layer)):
            assert np.any(model.get_weights()[0] != before), (
                f"the error does not pass through the layer: {mode}"
            )
        trained = [weight.numpy() for weight in model.trainable_weights]
        results.append([*trained, *feedback_kernels(layer)])
        assert_close(results[-1], results[0], f"a weight or V, {mode},")
