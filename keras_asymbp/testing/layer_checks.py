"""Checks of one layer: its V, its outputs, and its gradients."""

import inspect
import json

import keras
import numpy as np
from keras import ops

from keras_asymbp import backend
from keras_asymbp._switch import backpropagation
from keras_asymbp.layers import LAYERS
from keras_asymbp.testing.registry import check
from keras_asymbp.testing.tools import (
    assert_close,
    assert_equal,
    asymmetric_layers,
    feedback_kernels,
    fill,
    gradients_of,
    labels_of,
    make_inputs,
    make_layer,
    new_rule,
    own_weights,
    pairs_of,
    rules_of,
    stock_twin,
    trained_gradients,
)


@check
def check_config(case, rule):
    """The config has every argument, is JSON, and recreates the layer."""
    made = new_rule(rule)
    config = made.get_config()
    arguments = inspect.signature(type(made).__init__).parameters.values()
    for argument in list(arguments)[1:]:
        if argument.kind not in (argument.VAR_KEYWORD, argument.VAR_POSITIONAL):
            assert argument.name in config, (
                f"get_config() of {type(made).__name__} lacks '{argument.name}', an "
                f"argument of its __init__. It has: {', '.join(config)}"
            )
    layer = LAYERS[case.layer](**case.arguments, feedback=made)
    config = json.loads(json.dumps(layer.get_config()))
    again = type(layer).from_config(config)
    config_again = json.loads(json.dumps(again.get_config()))
    assert config_again == config, (
        f"the config of a copy differs. Expected: {config}. Received: {config_again}"
    )
    assert type(again.feedback) is type(layer.feedback)
    assert again.feedback is not layer.feedback


@check
def check_shapes(case, rule):
    """V has the kernel's shape and is finite; outputs have the computed shape."""
    layer = make_layer(case, rule)
    xs = make_inputs(case)
    pairs = pairs_of(layer)
    assert pairs, "no kernel of the layer has feedback"
    for name, kernel, v in pairs:
        assert tuple(v.shape) == tuple(kernel.shape), (
            f"V must have the shape of {name}. Expected: {tuple(kernel.shape)}. "
            f"Received: {tuple(v.shape)}"
        )
        assert np.all(np.isfinite(v)), f"V of {name} is not finite"
    shape = layer.compute_output_shape(*(x.shape for x in xs))
    assert tuple(layer(*xs).shape) == tuple(shape)
    trainable = {weight.path for weight in layer.trainable_weights}
    expected = {weight.path for weight in own_weights(layer)}
    trained = (
        rule
        for part in asymmetric_layers(layer)
        for rule, _ in part.feedback_rules()
        if rule.trained
    )
    for each in trained:
        assert each.trainable_weights, (
            "a rule with trained=True has a variable made with trainable=True. "
            f"Received: {sorted(w.path for w in each.weights)}"
        )
        expected |= {w.path for w in each.trainable_weights}
    assert trainable == expected, (
        "a rule's state is made with trainable=False, unless the rule has trained=True."
        f" Expected: {sorted(expected)}. Received: {sorted(trainable)}"
    )


# On JAX a forward pass of training takes note of V, for its backward pass can't.
_FORWARD = (False,) if keras.backend.backend() == "jax" else (False, True)


@check
def check_repeatable(case, rule):
    """V is constant until W changes; forward passes change no state, and none W."""
    layer = make_layer(case, rule)
    xs = make_inputs(case)
    weights = [weight.numpy() for weight in own_weights(layer)]
    variables = [variable.numpy() for variable in layer.variables]
    for training in _FORWARD:
        layer(*xs, training=training) if _takes_training(layer) else layer(*xs)
    assert_equal(layer.variables, variables, "a variable, after a forward pass,")
    v = feedback_kernels(layer)
    assert_equal(feedback_kernels(layer), v, "V, read again,")
    assert_equal(own_weights(layer), weights, "W, which a rule must leave alone,")
    first = trained_gradients(layer, xs, own_weights(layer))
    assert_equal(feedback_kernels(layer), v, "V, after a backward pass,")
    second = trained_gradients(layer, xs, own_weights(layer))
    assert_equal(second, first, [f"{n}, taken again," for n in labels_of(layer, xs)])
    assert_equal(own_weights(layer), weights, "W, which a rule must leave alone,")


@check
def check_looking(case, rule):
    """Reading V changes no state: only a gradient may."""
    layer = make_layer(case, rule)
    variables = [variable.numpy() for variable in layer.variables]
    feedback_kernels(layer)
    assert_equal(layer.variables, variables, "a variable, after reading V,")
    for weight in own_weights(layer):
        weight.assign(2 * weight + 1)
    variables = [variable.numpy() for variable in layer.variables]
    feedback_kernels(layer)
    assert_equal(layer.variables, variables, "a variable, after reading V of a new W,")


def _takes_training(layer):
    return "training" in inspect.signature(layer.call).parameters


@check
def check_forward(case, rule):
    """The outputs are those of the Keras layer."""
    layer = make_layer(case, rule)
    xs = make_inputs(case)
    assert_equal([layer(*xs)], [stock_twin(layer)(*xs)], "the output")


@check
def check_gradients(case, rule):
    """Gradients are those of stock layers, with V for W on the way to the inputs."""
    layer = make_layer(case, rule)
    xs = make_inputs(case)
    reference, weights = case.reference(layer)
    assert_close(
        gradients_of(layer, xs, own_weights(layer)),
        gradients_of(reference, xs, weights),
        labels_of(layer, xs),
    )


@check
def check_backpropagation(case, rule):
    """A symmetric rule, and any within `backpropagation()`, equals stock Keras."""
    layer = make_layer(case, rule)
    xs = make_inputs(case)
    stock = stock_twin(layer)
    expected = gradients_of(stock, xs, stock.weights)
    labels = labels_of(layer, xs)
    if all(each.symmetric for each in rules_of(layer)):
        assert_equal(gradients_of(layer, xs, own_weights(layer)), expected, labels)
    with backpropagation():
        assert_equal(gradients_of(layer, xs, own_weights(layer)), expected, labels)


@check
def check_second_order(case, rule):
    """The gradient of C . dE/dX, as in gradient penalties, goes through V."""
    layer = make_layer(case, rule)
    xs = make_inputs(case)
    c = [ops.flip(x, axis=0) for x in xs]

    def second_order(function, weights):
        def loss(*xs):
            _, first = backend.gradients(
                lambda *xs: ops.sum(function(*xs) ** 2) / 2, xs, []
            )
            return sum(ops.sum(f * k) for f, k in zip(first, c, strict=True))

        return backend.gradients(loss, xs, weights)[1]

    ours = own_weights(layer)
    labels = [f"second order, {label}" for label in labels_of(layer, xs)[1:]]
    if all(each.symmetric for each in rules_of(layer)):
        stock = stock_twin(layer)
        assert_equal(
            second_order(layer, ours), second_order(stock, stock.weights), labels
        )
        return
    reference, weights = case.reference(layer)
    actual, expected = second_order(layer, ours), second_order(reference, weights)
    if _moves_with_w(layer):  # the reference's V is a constant
        actual, expected, labels = (e[: len(xs)] for e in (actual, expected, labels))
    at = [*xs, *ours]
    filled = (
        [ops.zeros(w.shape) if g is None else g for g, w in zip(each, at, strict=False)]
        for each in (actual, expected)
    )
    assert_close(*filled, labels)


def _moves_with_w(layer):
    """Whether V is a differentiable function of W."""

    def total():
        return sum(ops.sum(v * v) for v in feedback_kernels(layer))

    kernels = [kernel for _, kernel, _ in pairs_of(layer)]
    _, gradients = backend.gradients(total, [], kernels)
    return any(g is not None and np.any(g) for g in gradients)


_TOLERANCES = {"float64": 1e-9, "mixed_float16": 0.02, "mixed_bfloat16": 0.1}
if keras.backend.backend() == "jax":
    del _TOLERANCES["float64"]  # JAX has it in processes that ask for it only


@check
def check_precision(case, rule):
    """Gradients hold in float64 and mixed precision, with V from the stored W."""
    for policy, tolerance in _TOLERANCES.items():
        layer = make_layer(case, rule, dtype=policy)
        xs = make_inputs(case, layer.compute_dtype)
        reference, weights = case.reference(layer)
        actual = gradients_of(layer, xs, own_weights(layer))
        expected = gradients_of(reference, xs, weights)
        for a, e, label in zip(actual, expected, labels_of(layer, xs), strict=True):
            label = f"{policy}: {label}"
            assert a.dtype == e.dtype, (
                f"{label} has a wrong dtype. Expected: {e.dtype}. Received: {a.dtype}"
            )
            assert_close([a], [e], label, rtol=0, atol=tolerance)


@check
def check_seeds(case, rule):
    """Keras's global seed makes V reproducible; no two rules share a stream."""
    first, again, other = (
        feedback_kernels(make_layer(case, rule, s)) for s in (1, 1, 2)
    )
    assert_equal(again, first, "V of the same global seed")
    if not any(np.any(a != b) for a, b in zip(first, other, strict=True)):
        return  # not random, or with a seed of its own
    keras.utils.set_random_seed(1)
    made = [LAYERS[case.layer](**case.arguments, feedback=new_rule(rule)) for _ in "12"]
    for layer in made:
        layer(*make_inputs(case))
        fill(own_weights(layer))
    streams = map(feedback_kernels, made)
    for (name, *_), a, b in zip(pairs_of(made[0]), *streams, strict=True):
        assert np.any(a != b), f"two layers in a row draw the same V of {name}"
