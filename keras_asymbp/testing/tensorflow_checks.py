"""Checks of one layer in TensorFlow's graphs."""

import tensorflow as tf

from keras_asymbp.testing.registry import check_on
from keras_asymbp.testing.tools import (
    assert_close,
    assert_same_v,
    feedback_kernels,
    gradients_of,
    labels_of,
    make_inputs,
    make_layer,
    make_parts,
    own_weights,
)


@check_on("tensorflow")
def check_modes(case, rule):
    """V and the gradients are the same eagerly, in a graph and under XLA."""
    layer, xs, weights = make_parts(case, rule)

    def everything():
        return feedback_kernels(layer), gradients_of(layer, xs, weights)

    v, gradients = everything()
    for mode, jit_compile in [("in a graph", False), ("under XLA", True)]:
        actual_v, actual = tf.function(everything, jit_compile=jit_compile)()
        assert_same_v(layer, actual_v, v, f"V {mode}")
        labels = [f"{label} {mode}" for label in labels_of(layer, xs)]
        assert_close(actual, gradients, labels)


@check_on("tensorflow")
def check_control_flow(case, rule):
    """The gradients are the same in the branches and loops of a graph."""
    layer, xs, weights = make_parts(case, rule)
    expected = gradients_of(layer, xs, weights)
    zeros = tf.zeros_like(expected[0])

    def branch(*xs):
        return tf.cond(tf.size(xs[0]) > 0, lambda: layer(*xs), lambda: zeros)

    def loop(*xs):
        def body(step, total):
            return step + 1, total + layer(*xs) / 2

        return tf.while_loop(lambda step, _: step < 2, body, (0, zeros))[1]

    def each_sample(*xs):
        return tf.map_fn(
            lambda sample: layer(*(x[tf.newaxis] for x in sample))[0],
            xs,
            fn_output_signature=zeros.dtype,
        )

    @tf.function
    def gradients():
        return [gradients_of(f, xs, weights) for f in (branch, loop, each_sample)]

    for name, actual in zip(
        ("a branch", "a loop", "`map_fn`"), gradients(), strict=True
    ):
        labels = [f"{label} in {name}" for label in labels_of(layer, xs)]
        assert_close(actual, expected, labels)


@check_on("tensorflow")
def check_decorated(case, rule):
    """A `tf.function` around the layer has its gradients, update after update."""
    xs = make_inputs(case)
    results = []
    for decorate in (lambda function: function, tf.function):
        layer = make_layer(case, rule)
        call = decorate(lambda *xs, layer=layer: layer(*xs))
        weights = own_weights(layer)
        seen = []
        for _ in range(3):
            _, *gradients = gradients_of(call, xs, weights)
            seen += [*gradients, *feedback_kernels(layer)]
            for weight, gradient in zip(weights, gradients[len(xs) :], strict=True):
                weight.assign(weight - gradient / 8)
        results.append(seen)
    # Where a gradient should be 0, as of attention's key bias, rounding errors remain.
    assert_close(*results, "a gradient or V, decorated and not,", atol=1e-4)
