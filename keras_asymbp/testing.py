"""The contract of rules and layers as checks: for a rule of your own, and our tests.

`check_feedback(rule)` runs a rule through every check on every layer. A check is a
function of a layer's case and a rule, or of many such pairs where they share what
is slow, and it raises AssertionError. A new layer is one line in `CASES`; a new check
is one function. What a check compares with is made of stock Keras layers alone.
"""

import contextlib
import dataclasses
import functools
import inspect
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_asymbp import feedbacks
from keras_asymbp.callbacks import RedrawFeedback, redraw_feedback
from keras_asymbp.feedbacks import Feedback
from keras_asymbp.gradients import backpropagation
from keras_asymbp.layers import LAYERS, asymmetric_layers
from keras_asymbp.optimizers import BatchManhattan

__all__ = [
    "CASES",
    "CHECKS",
    "JOINT_CHECKS",
    "Case",
    "check_feedback",
    "use_two_cpus",
]

_SAMPLES = 4


def check_feedback(rule, layers=None, checks=None) -> list[str]:
    """Runs a feedback rule through the contract on the layers.

    The gradients of each layer must be those of the stock Keras layer, but for V in
    the place of W where the error travels to the inputs:

        dE/dX = the gradient in X of product(X, V), for the error dE/dY   (eq. 2)

    and whatever Keras does with a model must hold with the rule in it: copying,
    saving in the middle of training, exporting, mixed precision, graphs and XLA.
    Layers and numbers are tiny; Keras's global seed is set.

    Args:
        rule: The rule: a `Feedback` (which is copied through its config, and left as
            it is), a function without arguments or class that makes one, a name, or a
            config.
        layers: Names of layers, such as `["AsymDense"]`; by default all of `CASES`.
        checks: Names of checks, by default all of `CHECKS` and `JOINT_CHECKS`.
            `"replicas"` needs two processors: it is among them after `use_two_cpus`.

    Returns:
        The names of the checks that ran.

    Raises:
        AssertionError: If the rule fails a check: the message names the check, the
            layer and what differs.
        ValueError: If there is no such layer or check.

    >>> import keras_asymbp.testing
    >>> class Halved(keras_asymbp.feedbacks.Feedback):
    ...     def call(self, kernel):
    ...         return 0.5 * kernel
    >>> keras_asymbp.testing.check_feedback(Halved(), layers=["AsymDense"])
    ['config', 'shapes', 'repeatable', ...]

    Source: equations 1 and 2, section 2, Liao et al. 2016.
    """
    every_check = {**CHECKS, **JOINT_CHECKS}
    cases = [
        CASES[name]
        for name in _known("layers", list(CASES) if layers is None else layers, CASES)
    ]
    if checks is None:
        checks = [
            name for name in every_check if name != "replicas" or len(_two_cpus()) == 2
        ]
    for name in _known("checks", checks, every_check):
        if name in CHECKS:
            for case in cases:
                CHECKS[name](case, rule)
        else:
            JOINT_CHECKS[name]([(case, rule) for case in cases])
    return list(checks)


def use_two_cpus() -> None:
    """Splits the CPU in two for TensorFlow, which the check `"replicas"` needs.

    Call it first: TensorFlow takes it only before it does anything else.

    Raises:
        RuntimeError: If TensorFlow is at work already.
    """
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )


def _two_cpus():
    return tf.config.list_logical_devices("CPU")[:2]


def _known(argument, names, known):
    if isinstance(names, str) or not set(names) <= set(known):
        raise ValueError(
            f"Argument `{argument}` must be a list of names, each one of "
            f"{', '.join(known)}. Received: {argument}={names!r}"
        )
    return list(names)


# ---------------------------------------------------------------------------
# Stock Keras layers whose error travels through a given V
#
# y = f(sg(x), W) + f(x, V) - sg(f(x, V)) has the value of f(x, W) (the last two are
# equal), the gradient of f(x, W) in W, and that of f(x, V) in x: sg, the stopped
# gradient, is all that it takes.


def _through(forward, backward):
    def function(x):
        detour = backward(x)
        return forward(tf.stop_gradient(x)) + (detour - tf.stop_gradient(detour))

    return function


def _single(layer):
    """The reference of a layer that is one product, and its weights."""
    [(attribute, _, v)] = layer.feedback_pairs()
    forward = _stock(layer, activation="linear")
    backward = _stock(layer, activation="linear")
    getattr(backward, attribute).assign(v)
    product = _through(forward, backward)
    return (lambda x: layer.activation(product(x))), forward.weights


def _depthwise_and_pointwise(layer):
    """The reference of AsymSeparableConv2D: two stock convolutions in a row."""
    kernels = [kernel for _, kernel, _ in layer.feedback_pairs()]
    feedback_kernels = [v for *_, v in layer.feedback_pairs()]
    shared = {
        "data_format": layer.data_format,
        "dtype": layer.dtype_policy,
    }

    def depthwise(kernel):
        stock = keras.layers.DepthwiseConv2D(
            layer.kernel_size,
            strides=layer.strides,
            padding=layer.padding,
            depth_multiplier=layer.depth_multiplier,
            dilation_rate=layer.dilation_rate,
            use_bias=False,
            **shared,
        )
        stock.build_from_config(layer.get_build_config())
        stock.kernel.assign(kernel)
        return stock

    def pointwise(kernel):
        stock = keras.layers.Conv2D(layer.filters, 1, use_bias=layer.use_bias, **shared)
        axis = 1 if layer.data_format == "channels_first" else 3
        shape = [None] * 4
        shape[axis] = kernel.shape[2]
        stock.build(tuple(shape))
        stock.kernel.assign(kernel)
        if layer.use_bias:
            stock.bias.assign(layer.bias)
        return stock

    stages = [
        (make(kernel), make(v))
        for make, kernel, v in zip(
            (depthwise, pointwise), kernels, feedback_kernels, strict=True
        )
    ]
    first, second = (_through(*stage) for stage in stages)
    weights = [weight for forward, _ in stages for weight in forward.weights]
    return (lambda x: layer.activation(second(first(x)))), weights


def _projections(layer):
    """The reference of AsymMultiHeadAttention: the stock one with such projections."""
    stock = _stock(layer)
    references = {
        id(part): _single(part)
        for part in asymmetric_layers(layer)
        if part is not layer
    }
    for name, part in vars(layer).items():
        if id(part) in references:
            # A function: the stock layer calls what it finds there.
            setattr(stock, name, references[id(part)][0])
    by_weight = {
        id(ours): theirs
        for part in asymmetric_layers(layer)
        if part is not layer
        for ours, theirs in zip(
            _own_weights(part), references[id(part)][1], strict=True
        )
    }
    return stock, [by_weight[id(weight)] for weight in _own_weights(layer)]


# ---------------------------------------------------------------------------
# The table of layers


@dataclasses.dataclass(frozen=True)
class Case:
    """How the checks make and call a layer.

    Attributes:
        layer: The layer's name, one of `keras_asymbp.layers.LAYERS`.
        arguments: Its arguments.
        shape: The shape of an input, without the batch's.
        inputs: The number of inputs that it is called with.
        reference: Function of a built layer that returns a function of its inputs, of
            stock Keras layers, whose error travels through the layer's V, and that
            function's weights in the layer's order.
    """

    layer: str
    arguments: dict[str, Any]
    shape: tuple[int, ...]
    inputs: int = 1
    reference: Callable = _single


_CONV: dict[str, Any] = {"kernel_size": 2, "activation": "tanh"}

CASES = {
    case.layer: case
    for case in [
        Case("AsymConv1D", {"filters": 3, **_CONV, "padding": "causal"}, (4, 2)),
        Case("AsymConv2D", {"filters": 3, **_CONV}, (4, 4, 2)),
        Case("AsymConv2DTranspose", {"filters": 2, **_CONV, "strides": 2}, (2, 2, 3)),
        Case("AsymConv3D", {"filters": 2, **_CONV}, (3, 3, 3, 2)),
        Case("AsymDense", {"units": 3, "activation": "tanh"}, (4,)),
        Case("AsymDepthwiseConv2D", {**_CONV, "depth_multiplier": 2}, (3, 3, 2)),
        Case(
            "AsymEinsumDense",
            {"equation": "abc,cd->abd", "output_shape": (2, 3), "bias_axes": "d"},
            (2, 4),
        ),
        Case(
            "AsymMultiHeadAttention",
            {"num_heads": 2, "key_dim": 3},
            (3, 4),
            inputs=2,
            reference=_projections,
        ),
        Case(
            "AsymSeparableConv2D",
            {"filters": 3, **_CONV, "depth_multiplier": 2},
            (3, 3, 2),
            reference=_depthwise_and_pointwise,
        ),
    ]
}


# ---------------------------------------------------------------------------
# What the checks are made of

CHECKS: dict[str, Callable[[Case, Any], None]] = {}
JOINT_CHECKS: dict[str, Callable[[Iterable[tuple[Case, Any]]], None]] = {}


def _check(function):
    """Puts a check into `CHECKS`, and whatever it raises into words."""
    name = function.__name__.removeprefix("check_")

    @functools.wraps(function)
    def check(case, rule):
        with _blaming(name, case, rule):
            function(case, rule)

    CHECKS[name] = check
    return check


def _joint_check(function):
    """Puts a check of many pairs of layer and rule into `JOINT_CHECKS`."""
    JOINT_CHECKS[function.__name__.removeprefix("check_")] = function
    return function


@contextlib.contextmanager
def _blaming(check, case, *rules):
    """Makes an error an AssertionError that says where it was found."""
    try:
        with contextlib.ExitStack() as scopes:
            for rule in rules:
                made = type(_new(rule))
                scopes.enter_context(
                    keras.saving.custom_object_scope({made.__name__: made})
                )
            yield
    except Exception as error:
        what = str(error)
        if not isinstance(error, AssertionError):
            what = f"{type(error).__name__}: {what}"
        names = ", ".join(map(_name, rules))
        raise AssertionError(
            f"Check '{check}' of {case.layer} with {names}: {what.strip()}"
        ) from error


def _new(rule) -> Feedback:
    """A rule of its own: a rule belongs to one layer."""
    if isinstance(rule, Feedback):
        return type(rule).from_config(rule.get_config())
    if callable(rule):
        rule = rule()
    return feedbacks.get(rule)


def _name(rule):
    if isinstance(rule, (str, type(None))):
        return repr(rule or "BP")
    if isinstance(rule, dict):
        return str(rule.get("class_name"))
    return getattr(rule, "__name__", type(rule).__name__)


def _layer(case, rule, seed=0, **more):
    """A layer with its own copy of the rule, and weights of all signs and zero."""
    keras.utils.set_random_seed(seed)
    layer = LAYERS[case.layer](**case.arguments | more, feedback=_new(rule))
    layer(*_inputs(case, layer.compute_dtype))
    _fill(_own_weights(layer))
    return layer


def _model(case, *rules, seed=0):
    """A layer for each rule, on a stock layer each, which their errors must reach.

    Returns:
        The model, and the layers.
    """
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(case.shape)
    layers, outputs = [], {}
    for number, rule in enumerate(rules):
        x = keras.layers.Dense(case.shape[-1])(inputs)
        layers.append(LAYERS[case.layer](**case.arguments, feedback=_new(rule)))
        y = layers[-1](*[x] * case.inputs)
        outputs[f"rule_{number}"] = keras.layers.Flatten()(y)
    model = keras.Model(inputs, outputs if len(rules) > 1 else outputs["rule_0"])
    for layer in layers:
        _fill(_own_weights(layer))
    return model, layers


def _fill(weights):
    generator = np.random.default_rng(2)
    for weight in weights:
        value = generator.normal(size=weight.shape)
        if value.ndim > 1:
            value.flat[0] = 0
        weight.assign(value / 2)


def _inputs(case, dtype="float32"):
    values = np.random.default_rng(0).normal(size=(case.inputs, _SAMPLES, *case.shape))
    return [tf.cast(value, dtype) for value in values]


def _batch(model):
    """Inputs and targets for a model."""
    generator = np.random.default_rng(0)

    def normal(tensor):
        return generator.normal(size=(_SAMPLES, *tensor.shape[1:])).astype("float32")

    return normal(model.inputs[0]), keras.tree.map_structure(normal, model.output)


def _error(y):
    return tf.constant(np.random.default_rng(1).normal(size=y.shape), y.dtype)


def _own_weights(layer):
    """A layer's weights without its rules'."""
    rules = {id(weight) for rule in _rules(layer) for weight in rule.variables}
    return [weight for weight in layer.weights if id(weight) not in rules]


def _rules(layer):
    return [part for part in layer._flatten_layers() if isinstance(part, Feedback)]


def _pairs(layer):
    """The name, W and V of each kernel of a layer and of the layers inside it."""
    return [
        (f"{part.name}.{attribute}", kernel, v)
        for part in asymmetric_layers(layer)
        for attribute, kernel, v in part.feedback_pairs()
    ]


def _feedback_kernels(layer):
    return [v for *_, v in _pairs(layer)]


def _state(layer):
    """A layer's variables as they are, V included."""
    return [variable.numpy() for variable in layer.variables], [
        v.numpy() for v in _feedback_kernels(layer)
    ]


def _stock(layer, **changes):
    """The stock Keras layer of a layer's configuration and weights."""
    twin = type(layer).twin()
    stock = twin.from_config(twin.get_config(layer) | changes)
    stock.build_from_config(layer.get_build_config())
    for weight, value in zip(stock.weights, _own_weights(layer), strict=True):
        weight.assign(value)
    return stock


def _gradients(function, xs, weights):
    """The output for inputs, and the gradients in inputs and weights for an error."""
    values = [weight.value for weight in weights]
    with tf.GradientTape() as tape:
        tape.watch([*xs, *values])
        y = function(*xs)
    return [y, *tape.gradient(y, [*xs, *values], _error(y))]


def _labels(layer, xs):
    inputs = [f"dE/dX of input {number}" for number, _ in enumerate(xs)]
    return ["outputs", *inputs, *(f"dE/d{w.path}" for w in _own_weights(layer))]


def _assert_equal(actual, expected, what):
    for number, (a, e) in enumerate(zip(actual, expected, strict=True)):
        label = what if isinstance(what, str) else what[number]
        np.testing.assert_array_equal(a, e, err_msg=label)


def _assert_close(actual, expected, what, rtol=1e-4, atol=1e-5):
    """Within `rtol` or, for elements much smaller than the largest, `atol` of it."""
    for number, (a, e) in enumerate(zip(actual, expected, strict=True)):
        label = what if isinstance(what, str) else what[number]
        assert (a is None) == (e is None), f"{label} is {a}, expected {e}"
        if a is not None:
            a, e = (np.asarray(tf.cast(each, "float64")) for each in (a, e))
            scale = max(1.0, np.abs(e).max(initial=0))
            np.testing.assert_allclose(
                a, e, rtol=rtol, atol=atol * scale, err_msg=label
            )


# ---------------------------------------------------------------------------
# The checks


@_check
def check_config(case, rule):
    """The config has every argument, is JSON, and makes the same layer again."""
    made = _new(rule)
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


@_check
def check_shapes(case, rule):
    """V has the kernel's shape and finite numbers; outputs have the shape they say."""
    layer = _layer(case, rule)
    xs = _inputs(case)
    pairs = _pairs(layer)
    assert pairs, "no kernel of the layer has feedback"
    for name, kernel, v in pairs:
        assert tuple(v.shape) == tuple(kernel.shape), (
            f"V must have the shape of {name}. Expected: {tuple(kernel.shape)}. "
            f"Received: {tuple(v.shape)}"
        )
        assert np.all(np.isfinite(v)), f"V of {name} has elements that aren't finite"
    shape = layer.compute_output_shape(*(x.shape for x in xs))
    assert tuple(layer(*xs).shape) == tuple(shape)
    trainable = {weight.path for weight in layer.trainable_weights}
    expected = {weight.path for weight in _own_weights(layer)}
    expected |= {w.path for rule in _rules(layer) if rule.trained for w in rule.weights}
    assert trainable == expected, (
        "a rule's state is made with trainable=False, unless the rule has trained=True."
        f" Expected: {sorted(expected)}. Received: {sorted(trainable)}"
    )


@_check
def check_repeatable(case, rule):
    """V is the same until W changes; a forward pass changes no state, and none W."""
    layer = _layer(case, rule)
    xs = _inputs(case)
    weights = [weight.numpy() for weight in _own_weights(layer)]
    variables = [variable.numpy() for variable in layer.variables]
    for training in (False, True):
        layer(*xs, training=training) if _takes_training(layer) else layer(*xs)
    _assert_equal(layer.variables, variables, "a variable, after a forward pass,")
    v = _feedback_kernels(layer)
    _assert_equal(_feedback_kernels(layer), v, "V, asked for again,")
    _assert_equal(_own_weights(layer), weights, "W, which a rule must leave alone,")
    first = _gradients(layer, xs, _own_weights(layer))
    _assert_equal(_feedback_kernels(layer), v, "V, after a backward pass,")
    second = _gradients(layer, xs, _own_weights(layer))
    _assert_equal(second, first, [f"{n}, taken again," for n in _labels(layer, xs)])
    _assert_equal(_own_weights(layer), weights, "W, which a rule must leave alone,")


def _takes_training(layer):
    return "training" in inspect.signature(layer.call).parameters


@_check
def check_forward(case, rule):
    """The outputs are those of the Keras layer."""
    layer = _layer(case, rule)
    xs = _inputs(case)
    _assert_equal([layer(*xs)], [_stock(layer)(*xs)], "the output")


@_check
def check_gradients(case, rule):
    """Gradients are stock Keras's, with V for W where the error goes to the inputs."""
    layer = _layer(case, rule)
    xs = _inputs(case)
    reference, weights = case.reference(layer)
    _assert_close(
        _gradients(layer, xs, _own_weights(layer)),
        _gradients(reference, xs, weights),
        _labels(layer, xs),
    )


@_check
def check_backpropagation(case, rule):
    """A symmetric rule, and any within `backpropagation()`, is stock Keras exactly."""
    layer = _layer(case, rule)
    xs = _inputs(case)
    stock = _stock(layer)
    expected = _gradients(stock, xs, stock.weights)
    labels = _labels(layer, xs)
    if all(each.symmetric for each in _rules(layer)):
        _assert_equal(_gradients(layer, xs, _own_weights(layer)), expected, labels)
    with backpropagation():
        _assert_equal(_gradients(layer, xs, _own_weights(layer)), expected, labels)


@_check
def check_second_order(case, rule):
    """The gradient of C . dE/dX, which penalties on gradients take, goes through V."""
    layer = _layer(case, rule)
    xs = _inputs(case)
    c = [tf.constant(x.numpy()[::-1].copy()) for x in xs]

    def second_order(function, weights):
        values = [weight.value for weight in weights]
        with tf.GradientTape() as outer:
            outer.watch([*xs, *values])
            with tf.GradientTape() as inner:
                inner.watch(xs)
                energy = tf.reduce_sum(function(*xs) ** 2) / 2
            first = inner.gradient(energy, xs)
            loss = tf.add_n(
                [tf.reduce_sum(f * k) for f, k in zip(first, c, strict=True)]
            )
        return outer.gradient(loss, [*xs, *values])

    ours = _own_weights(layer)
    labels = [f"second order, {label}" for label in _labels(layer, xs)[1:]]
    if all(each.symmetric for each in _rules(layer)):
        stock = _stock(layer)
        _assert_equal(
            second_order(layer, ours), second_order(stock, stock.weights), labels
        )
        return
    reference, weights = case.reference(layer)
    actual, expected = second_order(layer, ours), second_order(reference, weights)
    if _moves_with_w(layer):  # the reference's V is a constant
        actual, expected, labels = (e[: len(xs)] for e in (actual, expected, labels))
    at = [*xs, *ours]
    filled = (
        [tf.zeros(w.shape) if g is None else g for g, w in zip(each, at, strict=False)]
        for each in (actual, expected)
    )
    _assert_close(*filled, labels)


def _moves_with_w(layer):
    """Whether V is a function of W with a derivative."""
    kernels = [kernel.value for _, kernel, _ in _pairs(layer)]
    with tf.GradientTape() as tape:
        tape.watch(kernels)
        total = tf.add_n([tf.reduce_sum(v * v) for v in _feedback_kernels(layer)])
    gradients = tape.gradient(total, kernels)
    return any(g is not None and np.any(g) for g in gradients)


@_check
def check_precision(case, rule):
    """The same in float64 and mixed precision, and V from W as it is stored."""
    for policy, tolerance in [
        ("float64", 1e-9),
        ("mixed_float16", 0.02),
        ("mixed_bfloat16", 0.1),
    ]:
        layer = _layer(case, rule, dtype=policy)
        xs = _inputs(case, layer.compute_dtype)
        reference, weights = case.reference(layer)
        actual = _gradients(layer, xs, _own_weights(layer))
        expected = _gradients(reference, xs, weights)
        for a, e, label in zip(actual, expected, _labels(layer, xs), strict=True):
            label = f"{policy}: {label}"
            assert a.dtype == e.dtype, (
                f"{label} has another dtype. Expected: {e.dtype}. Received: {a.dtype}"
            )
            _assert_close([a], [e], label, rtol=0, atol=tolerance)


@_check
def check_frozen(case, rule):
    """`trainable=False` keeps W and V, and passes the same error down."""
    model, [layer] = _model(case, rule)
    xs = _inputs(case)
    expected = _gradients(layer, xs, [])
    layer.trainable = False
    assert not layer.trainable_weights
    _assert_equal(_gradients(layer, xs, []), expected, "frozen: dE/dX")
    frozen = [weight.numpy() for weight in _own_weights(layer)]
    v = _feedback_kernels(layer)
    below = model.layers[1].get_weights()[0]
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    model.train_on_batch(*_batch(model))
    _assert_equal(_own_weights(layer), frozen, "frozen: a weight, after a step,")
    _assert_equal(_feedback_kernels(layer), v, "frozen: V, after a step,")
    v_is_zero = all(not np.any(each) for each in v)
    assert v_is_zero or np.any(model.layers[1].get_weights()[0] != below), (
        "the error has not come through the frozen layer"
    )


@_check
def check_seeds(case, rule):
    """Keras's global seed makes V reproducible; no two rules share a stream."""
    first, again, other = (_feedback_kernels(_layer(case, rule, s)) for s in (1, 1, 2))
    _assert_equal(again, first, "V of the same global seed")
    if not any(np.any(a != b) for a, b in zip(first, other, strict=True)):
        return  # nothing random, or a seed of its own
    keras.utils.set_random_seed(1)
    made = [LAYERS[case.layer](**case.arguments, feedback=_new(rule)) for _ in "12"]
    for layer in made:
        layer(*_inputs(case))
        _fill(_own_weights(layer))
    streams = map(_feedback_kernels, made)
    for (name, *_), a, b in zip(_pairs(made[0]), *streams, strict=True):
        assert np.any(a != b), f"two layers in a row draw the same V of {name}"


@_check
def check_modes(case, rule):
    """V and the gradients are the same eagerly, in a graph and under XLA."""
    layer = _layer(case, rule)
    xs = _inputs(case)
    weights = _own_weights(layer)

    def everything():
        return _feedback_kernels(layer), _gradients(layer, xs, weights)

    v, gradients = everything()
    for mode, jit_compile in [("in a graph", False), ("under XLA", True)]:
        actual_v, actual = tf.function(everything, jit_compile=jit_compile)()
        _assert_equal(actual_v, v, f"V {mode}")
        labels = [f"{label} {mode}" for label in _labels(layer, xs)]
        _assert_close(actual, gradients, labels)


@_check
def check_clone(case, rule):
    """`clone_model` makes a rule of its own, and state goes by `set_weights`."""
    model, [layer] = _model(case, rule)
    cloned = keras.models.clone_model(model)
    copy = cloned.get_layer(layer.name)
    for ours, theirs in zip(_rules(layer), _rules(copy), strict=True):
        assert theirs is not ours, "the clone has the same rule, which has one layer"
    assert copy.get_config() == layer.get_config(), "the clone has another config"
    cloned.set_weights(model.get_weights())
    x, _ = _batch(model)
    _assert_equal([cloned(x)], [model(x)], "the clone's output")
    _assert_equal(
        _feedback_kernels(copy), _feedback_kernels(layer), "V, after `set_weights`,"
    )


@_check
def check_saving(case, rule):
    """Saved in the middle of training, a model goes on as if it had not been.

    As `.keras` and as weights; a random rule goes on with its sequence.
    """
    model, [layer] = _model(case, rule)
    x, y = _batch(model)

    def train(model):
        for _ in range(2):
            model.train_on_batch(x, y)
            redraw_feedback(model)
        part = model.get_layer(layer.name)
        return [*model.get_weights(), *_feedback_kernels(part)]

    model.compile(BatchManhattan(0.01), "mse", run_eagerly=True)
    train(model)
    v = _feedback_kernels(layer)
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        model.save_weights(f"{folder}/model.weights.h5")
        loaded = keras.models.load_model(f"{folder}/model.keras")
        other, [other_layer] = _model(case, rule, seed=1)
        other.load_weights(f"{folder}/model.weights.h5")
    again = _feedback_kernels(loaded.get_layer(layer.name))
    _assert_equal(again, v, "V, saved and loaded,")
    _assert_equal(_feedback_kernels(other_layer), v, "V, of weights loaded,")
    _assert_equal(train(loaded), train(model), "a weight or V, training on,")


@_check
def check_fit(case, rule):
    """`fit` does the same eagerly, in a graph, and under XLA with several steps."""
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
        model, [layer] = _model(case, rule)
        x, y = _batch(model)
        before = model.get_weights()[0]
        model.compile(keras.optimizers.SGD(0.1), "mse", **arguments)
        model.optimizer.build(model.trainable_variables)

        def fit(model=model, x=x, y=y):
            redraw = RedrawFeedback()
            model.fit(x, y, 1, verbose=0, shuffle=False, callbacks=[redraw])

        if mode == "jit_compile=False":
            _assert_w_is_read_before_or_after_its_update(model, fit)
        else:
            fit()
        assert model.optimizer.iterations == _SAMPLES
        if any(np.any(v) for v in _feedback_kernels(layer)):
            assert np.any(model.get_weights()[0] != before), (
                f"the error has not come through the layer: {mode}"
            )
        trained = [weight.numpy() for weight in model.trainable_weights]
        results.append([*trained, *_feedback_kernels(layer)])
        _assert_close(results[-1], results[0], f"a weight or V, {mode},")


def _assert_w_is_read_before_or_after_its_update(model, fit):
    """In the graph that `fit` runs, never meanwhile.

    V is made of W. TensorFlow's optimizer has dropped the order of the two before,
    and the update of W overtook its reading, once in a few hundred steps.
    """
    from tensorflow.python.eager import context

    context.enable_run_metadata()
    context.export_run_metadata()  # which forgets what ran before
    try:
        fit()
        graphs = context.export_run_metadata().partition_graphs
    finally:
        context.disable_run_metadata()

    def updates_of(graph):
        return [node for node in graph.node if node.op.startswith("AssignSub")]

    step = max(graphs, key=lambda graph: len(updates_of(graph)))
    nodes, updates = step.node, updates_of(step)
    sources = {
        node.name: {name.lstrip("^").split(":")[0] for name in node.input}
        for node in nodes
    }

    @functools.cache
    def before(name):
        return sources[name].union(*map(before, sources[name]))

    for write in updates:
        for read in nodes:
            if read.op == "ReadVariableOp" and read.input[0] == write.input[0]:
                assert read.name in before(write.name) or write.name in before(
                    read.name
                ), f"{write.input[0]} may be read while it is updated: {read.name}"
    assert len(updates) == len(model.trainable_variables), (
        f"expected {len(model.trainable_variables)} updates in a step's graph, "
        f"found {len(updates)}"
    )


_READER = """
import sys
sys.modules["keras_asymbp"] = None  # from here on, its import is an error
import numpy, tensorflow
for name in sys.argv[1:]:
    served = tensorflow.saved_model.load(name)
    outputs = served.serve(numpy.load(name + ".npy"))
    if not isinstance(outputs, dict):
        outputs = {"rule_0": outputs}
    numpy.savez(name + ".npz", **{k: v.numpy() for k, v in outputs.items()})
"""


@_joint_check
def check_export(combinations):
    """An exported model has the same outputs, no feedback, and needs none of our code.

    It is read by a process that can't import keras_asymbp.
    """
    expected = {}
    groups = _by_layer(combinations)
    with tempfile.TemporaryDirectory() as folder:
        for case, rules in groups:
            with _blaming("export", case, *rules):
                expected[case.layer] = _export(case, rules, f"{folder}/{case.layer}")
        done = subprocess.run(
            [sys.executable, "-c", _READER, *expected],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=False,
        )
        for case, rules in groups:
            with _blaming("export", case, *rules):
                assert os.path.exists(f"{folder}/{case.layer}.npz"), (
                    f"the reading process failed: {done.stderr[-2000:]}"
                )
                read = np.load(f"{folder}/{case.layer}.npz")
                for number, rule in enumerate(rules):
                    np.testing.assert_allclose(
                        read[f"rule_{number}"],
                        expected[case.layer][f"rule_{number}"],
                        rtol=1e-5,
                        atol=1e-6,
                        err_msg=f"the output, exported and read, of {_name(rule)}",
                    )


def _export(case, rules, path):
    """Exports a model, looks at it from here, and returns its outputs by rule."""
    model, layers = _model(case, *rules)
    x, y = _batch(model)
    xs = _inputs(case)
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    model.train_on_batch(x, y)
    before = [_gradients(layer, xs, _own_weights(layer)) for layer in layers]
    model.export(path, verbose=False)
    for layer, gradients, rule in zip(layers, before, rules, strict=True):
        labels = [f"{n}, after the export, {_name(rule)}" for n in _labels(layer, xs)]
        _assert_equal(_gradients(layer, xs, _own_weights(layer)), gradients, labels)
    own = [weight for part in model.layers for weight in _own_weights(part)]
    shapes = sorted(tuple(weight.shape) for weight in own)
    stored: dict[str, list] = {}  # Keras lists the variables twice
    for name, shape in tf.train.list_variables(f"{path}/variables/variables"):
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH":
            stored.setdefault(name.split("/")[0], []).append(tuple(shape))
    for each in stored.values():
        assert sorted(each) == shapes, (
            "the exported model has other variables than the layers' weights. "
            f"Expected shapes: {shapes}. Received: {sorted(each)}"
        )
    assert stored
    np.save(f"{path}.npy", x)
    outputs = model(x)
    return outputs if isinstance(outputs, dict) else {"rule_0": outputs}


@_joint_check
def check_replicas(combinations):
    """Training on two replicas (`MirroredStrategy`) is training on one; they share M.

    Raises:
        RuntimeError: If there are no two logical CPUs: see `use_two_cpus`.
    """
    if len(_two_cpus()) < 2:
        raise RuntimeError(
            "Check 'replicas' needs two logical CPUs: call "
            "`keras_asymbp.testing.use_two_cpus()` before anything else."
        )
    for case, rules in _by_layer(combinations):
        with _blaming("replicas", case, *rules):
            results = []
            for strategy in (
                tf.distribute.get_strategy(),
                _two_replicas(),
            ):
                with strategy.scope():
                    model, layers = _model(case, *rules)
                    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
                x, y = _batch(model)
                model.fit(
                    x, y, 2, verbose=0, shuffle=False, callbacks=[RedrawFeedback()]
                )
                for rule, layer in zip(rules, layers, strict=True):
                    for variable in layer.variables:
                        each = strategy.experimental_local_results(variable.value)
                        _assert_equal(
                            each,
                            [each[0]] * len(each),
                            f"{variable.path} of the replicas, {_name(rule)},",
                        )
                trained = [weight.numpy() for weight in model.trainable_weights]
                results.append(
                    trained + [v for part in layers for v in _feedback_kernels(part)]
                )
            paths = [
                f"{w.path} of one and two replicas" for w in model.trainable_weights
            ]
            for rule, layer in zip(rules, layers, strict=True):
                paths += [
                    f"V of one and two replicas, {_name(rule)}" for _ in _pairs(layer)
                ]
            _assert_close(results[1], results[0], paths)


@functools.cache
def _two_replicas():
    # One for all: TensorFlow confuses the reductions of one strategy with another's.
    return tf.distribute.MirroredStrategy([device.name for device in _two_cpus()])


def _by_layer(combinations):
    """Each case once, with all of its rules."""
    rules: dict[str, list] = {}
    for case, rule in combinations:
        rules.setdefault(case.layer, []).append(rule)
    return [(CASES[name], each) for name, each in rules.items()]
