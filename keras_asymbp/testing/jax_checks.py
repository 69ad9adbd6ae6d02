"""Checks of one layer in JAX's compiled functions."""

import jax
import keras
from jax import lax
from jax import numpy as jnp

from keras_asymbp.testing.registry import check_on
from keras_asymbp.testing.tools import (
    assert_close,
    assert_same_v,
    error_for,
    feedback_kernels,
    gradients_of,
    labels_of,
    make_layer,
    make_parts,
    own_weights,
    parent_of,
    trained_gradients,
)


@check_on("jax")
def check_modes(case, rule):
    """V and the gradients are the same eagerly and compiled."""
    layer, xs, weights = make_parts(case, rule)

    def everything():
        return feedback_kernels(layer), gradients_of(layer, xs, weights)

    v, gradients = everything()
    actual_v, actual = jax.jit(everything)()
    assert_same_v(layer, actual_v, v, "V, compiled")
    labels = [f"{label}, compiled" for label in labels_of(layer, xs)]
    assert_close(actual, gradients, labels)


@check_on("jax")
def check_control_flow(case, rule):
    """The gradients are the same in branches and loops, eagerly and compiled."""
    layer, xs, weights = make_parts(case, rule)
    expected = gradients_of(layer, xs, weights)
    zeros = jnp.zeros_like(expected[0])

    def branch(*xs):
        return lax.cond(jnp.any(xs[0] != 0), layer, lambda *_: zeros, *xs)

    def loop(*xs):
        return lax.scan(
            lambda total, _: (total + layer(*xs) / 2, None), zeros, length=2
        )[0]

    def each_sample(*xs):
        return lax.map(lambda sample: layer(*(x[None] for x in sample))[0], xs)

    def vectorized(*xs):
        return jax.vmap(lambda *sample: layer(*(x[None] for x in sample))[0])(*xs)

    def rematerialized(*xs):
        return jax.checkpoint(lambda *xs: layer(*xs))(*xs)

    for name, function in [
        ("`cond`", branch),
        ("`scan`", loop),
        ("`map`", each_sample),
        ("`vmap`", vectorized),
        ("`checkpoint`", rematerialized),
    ]:
        actual = jax.jit(lambda f=function: gradients_of(f, xs, weights))()
        labels = [f"{label} in {name}" for label in labels_of(layer, xs)]
        assert_close(actual, expected, labels)


@check_on("jax")
def check_decorated(case, rule):
    """A compiled step with `stateless_call` has its gradients, update after update."""
    layer, xs, weights = make_parts(case, rule)
    expected = []
    for _ in range(3):
        _, *gradients = trained_gradients(layer, xs, weights)
        expected += [*gradients, *feedback_kernels(layer)]
        for weight, gradient in zip(weights, gradients[len(xs) :], strict=True):
            weight.assign(weight - gradient / 8)

    layer = make_layer(case, rule)
    weights = own_weights(layer)
    others = [v for v in layer.variables if not any(v is w for w in weights)]
    parent = parent_of(layer)

    @jax.jit
    def step(values, states, xs):
        def call(values, xs):
            pairs = [
                *zip(weights, values, strict=True),
                *zip(others, states, strict=True),
            ]
            with keras.StatelessScope(state_mapping=pairs) as scope:
                y = parent(*xs, training=True)
            return y, [scope.get_current_value(each) for each in others]

        y, pull_back, states = jax.vjp(call, values, xs, has_aux=True)
        of_weights, of_inputs = pull_back(error_for(y))
        return [*of_inputs, *of_weights], states

    actual = []
    for _ in range(3):
        values = [each.value for each in weights]
        gradients, states = step(values, [each.value for each in others], xs)
        for variable, value in zip(others, states, strict=True):
            variable.assign(value)
        actual += [*gradients, *feedback_kernels(layer)]
        for weight, gradient in zip(weights, gradients[len(xs) :], strict=True):
            weight.assign(weight - gradient / 8)
    assert_close(actual, expected, "a gradient or V, compiled and not,")
